/** What the gateway said instead of an answer; status 0: it said nothing. */
export class ApiError extends Error {
  readonly status: number;
  readonly waitSeconds: number | null;

  constructor(status: number, message: string, waitSeconds: number | null = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.waitSeconds = waitSeconds;
  }
}

export interface Credentials {
  readonly token: string;
  /** Who acts, for the audit; empty: it does not say. */
  readonly operator: string;
}

type Query = Readonly<Record<string, string | number | undefined>>;
interface Call {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly query?: Query;
  readonly body?: object;
  readonly signal?: AbortSignal;
}

/** The admin API of the gateway that this page came from. */
export interface Api {
  get<T>(path: string, call?: Omit<Call, "method" | "body">): Promise<T>;
  send<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<T>;
  /** Lines of JSON, as text. */
  lines(path: string, body: object): Promise<string>;
  /** The answer as it comes; never cut off by a time-out. */
  open(path: string, signal: AbortSignal): Promise<Response>;
}

/** `refused` hears that the token is not taken any more. */
export function createApi({ token, operator }: Credentials, refused: () => void): Api {
  async function call(path: string, { method = "GET", query, body, signal }: Call): Promise<Response> {
    const response = await ask(`api/v1${path}${queryOf(query)}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(operator !== "" && method !== "GET" && { "x-parley-operator": operator }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
    if (response.ok) return response;
    if (response.status === 401) refused();
    throw await errorOf(response);
  }
  return {
    get: async (path, options = {}) => await (await call(path, options)).json(),
    send: async (method, path, body) => await (await call(path, { method, ...(body && { body }) })).json(),
    lines: async (path, body) => await (await call(path, { method: "POST", body })).text(),
    open: (path, signal) => call(path, { signal }),
  };
}

/** Of this origin alone; no cookie goes with it, for there is none. */
export async function ask(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { ...init, credentials: "omit", redirect: "error", cache: "no-store" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "The gateway does not answer.");
  }
}

export async function errorOf(response: Response): Promise<ApiError> {
  const said = await response.json().catch(() => null);
  const message = said?.error?.message;
  const wait = Number(response.headers.get("retry-after"));
  const waitSeconds = Number.isFinite(wait) && wait > 0 ? wait : null;
  const words = typeof message === "string" ? message : `The gateway answered ${response.status}.`;
  return new ApiError(response.status, words, waitSeconds);
}

function queryOf(query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, `${value}`]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
