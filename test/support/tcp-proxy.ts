import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { isPush, Values, wordsOf } from "./resp.ts";

/** One command as it was sent, its name first. */
export type Command = readonly string[];

/** Stands before a Redis, and is the network that fails. */
export interface TcpProxy extends AsyncDisposable {
  readonly url: string;
  /** Port that new connections are led to. */
  target: number;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Resolves with the next connection. */
  connected(): Promise<void>;
  /** The next such command is carried out, and its connection cut instead of answering. Resolves when it is cut. */
  loseAnswer(isMeant: (command: Command) => boolean): Promise<void>;
  /** The next such command cuts its connection, and never reaches Redis. Resolves when it is cut. */
  loseCommand(isMeant: (command: Command) => boolean): Promise<void>;
  /** Nothing more is lost. */
  disarm(): void;
  /** Resets all connections. New ones are let in. */
  cut(): void;
  /** From now on nothing passes in either direction, on old connections and new. */
  stall(): void;
  /** What was held back arrives now. */
  resume(): void;
  /** Resets all connections, and new ones as they come. */
  refuse(): void;
  admit(): void;
}

interface Trap {
  readonly isMeant: (command: Command) => boolean;
  readonly loses: "answer" | "command";
  readonly sprung: () => void;
}

interface Wire {
  readonly client: Socket;
  readonly server: Socket;
  /** What was sent and not yet answered; a trap: its answer is not to pass. */
  readonly asked: (Trap | null)[];
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const wires = new Set<Wire>();
  const traps: Trap[] = [];
  let isStalled = false;
  let isRefusing = false;
  let connections = 0;
  let whenConnected = Promise.withResolvers<void>();

  const proxy = createServer((client) => {
    connections++;
    whenConnected.resolve();
    whenConnected = Promise.withResolvers();
    if (isRefusing) return void client.resetAndDestroy();
    lead(client);
  });

  function lead(client: Socket): void {
    const server = connect(self.target, "127.0.0.1");
    const wire: Wire = { client, server, asked: [] };
    wires.add(wire);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", () => {}); // Its end follows.
      socket.on("close", () => end(wire));
      if (isStalled) socket.pause();
    }
    const commands = new Values();
    client.on("data", (piece: Buffer) => {
      for (const command of commands.take(piece)) passCommand(wire, command);
    });
    const answers = new Values();
    server.on("data", (piece: Buffer) => {
      for (const answer of answers.take(piece)) passAnswer(wire, answer);
    });
  }

  function passCommand(wire: Wire, command: Buffer): void {
    if (!wires.has(wire)) return;
    const words = traps.length === 0 ? [] : wordsOf(command);
    const trap = traps.find(({ isMeant }) => isMeant(words)) ?? null;
    if (trap !== null) traps.splice(traps.indexOf(trap), 1);
    if (trap?.loses === "command") {
      end(wire);
      trap.sprung();
      return;
    }
    wire.asked.push(trap);
    wire.server.write(command);
  }

  function passAnswer(wire: Wire, answer: Buffer): void {
    if (!wires.has(wire)) return;
    const trap = isPush(answer) ? null : wire.asked.shift();
    if (!trap) return void wire.client.write(answer);
    end(wire);
    trap.sprung();
  }

  function end(wire: Wire): void {
    if (!wires.delete(wire)) return;
    wire.client.resetAndDestroy();
    wire.server.destroy();
  }

  function setTrap(loses: Trap["loses"], isMeant: Trap["isMeant"]): Promise<void> {
    return new Promise((sprung) => {
      traps.push({ isMeant, loses, sprung });
    });
  }

  function endAll(): void {
    for (const wire of wires) end(wire);
  }

  function allSockets(): Socket[] {
    return [...wires].flatMap(({ client, server }) => [client, server]);
  }

  await new Promise<void>((resolve) => {
    proxy.listen(0, "127.0.0.1", resolve);
  });
  const { port } = proxy.address() as AddressInfo;
  const self: TcpProxy = {
    url: `redis://127.0.0.1:${port}`,
    target,
    get connections() {
      return connections;
    },
    connected: () => whenConnected.promise,
    loseAnswer: (isMeant) => setTrap("answer", isMeant),
    loseCommand: (isMeant) => setTrap("command", isMeant),
    disarm() {
      traps.length = 0;
    },
    cut: endAll,
    stall() {
      isStalled = true;
      for (const socket of allSockets()) socket.pause();
    },
    resume() {
      isStalled = false;
      for (const socket of allSockets()) socket.resume();
    },
    refuse() {
      isRefusing = true;
      endAll();
    },
    admit() {
      isRefusing = false;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        proxy.close(resolve);
      });
      endAll();
      await closed;
    },
  };
  return self;
}
