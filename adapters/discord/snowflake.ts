/** Discord's ids are 64-bit numbers; as JSON numbers they would lose their last digits, so they come as strings. */
const SNOWFLAKE = /^\d{1,20}$/;
/** The first second of 2015, where Discord's ids begin to count. */
const EPOCH_MS = 1_420_070_400_000n;

export function isSnowflake(value: unknown): value is string {
  return typeof value === "string" && SNOWFLAKE.test(value);
}

/** When the thing with this id was created: the upper 42 bits, in milliseconds. */
export function snowflakeTimeMs(id: string): number {
  return Number((BigInt(id) >> 22n) + EPOCH_MS);
}
