/** A typed client of one caller of the gateway, made of the generated schema alone. */

import { randomUUID } from "node:crypto";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];
export type Api = Client<paths>;

export interface Caller {
  readonly token?: string;
  readonly language?: "fa" | "en";
}

/** A client that sends the caller's language, and the access token where there is one. */
export function clientOf(baseUrl: string, caller: Caller = {}): Api {
  const headers: Record<string, string> = { "Accept-Language": caller.language ?? "fa" };
  if (caller.token !== undefined) headers["Authorization"] = `Bearer ${caller.token}`;
  return createClient<paths>({ baseUrl, headers });
}

/** An error of the API: what it says is in `problem`. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super([problem.detail, ...(problem.errors ?? []).map((one) => `${one.field}: ${one.message}`)].join(" "));
  }
}

/** The data of an answer; ApiError when it is a problem. */
export function dataOf<Data>(answer: { data?: Data; error?: Problem; response: Response }): Data {
  if (answer.error !== undefined) throw new ApiError(answer.error);
  if (answer.data === undefined) throw new Error(`${answer.response.status} without a body`);
  return answer.data;
}

/** A header that makes the repetition of a request safe. */
export const once = (): { "Idempotency-Key": string } => ({ "Idempotency-Key": randomUUID() });

/** The headers of a command on a case that was read at this version. */
export const at = (version: number): { "Idempotency-Key": string; "If-Match": string } => ({
  ...once(),
  "If-Match": `"${version}"`,
});

/** Asks again and again until there is an answer, and it is as wanted. */
export async function until<Answer>(
  read: () => Promise<Answer | undefined>,
  wanted: (answer: Answer) => boolean,
  what: string,
): Promise<Answer> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await read();
    if (answer !== undefined && wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

const CHUNK = 64 * 1024;
const TUS = { "Tus-Resumable": "1.0.0" } as const;

/** Sends a file by tus 1.0, from where the server is after a lost line; the upload's id. */
export async function upload(api: Api, name: string, type: string, content: Uint8Array<ArrayBuffer>): Promise<string> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const created = await api.POST("/v1/uploads", {
    params: {
      header: {
        ...TUS,
        "Upload-Length": content.length,
        "Upload-Metadata": `filename ${base64(name)},filetype ${base64(type)}`,
      },
    },
  });
  if (created.error !== undefined) throw new ApiError(created.error);
  const id = created.response.headers.get("location")?.split("/").pop();
  if (id === undefined) throw new Error("An upload without an address");
  const params = { path: { upload_id: id } };
  let offset = 0;
  while (offset < content.length) {
    const sent = await api.PATCH("/v1/uploads/{upload_id}", {
      params: { ...params, header: { ...TUS, "Upload-Offset": offset } },
      headers: { "Content-Type": "application/offset+octet-stream" },
      body: "",
      bodySerializer: () => content.subarray(offset, offset + CHUNK),
    });
    if (sent.error !== undefined) throw new ApiError(sent.error);
    offset = Number(sent.response.headers.get("upload-offset"));
  }
  return id;
}
