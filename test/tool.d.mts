export function toolCommand(name: string): [program: string, file: string];
export function withCounts(args: readonly string[]): string[];
