/** The demo's story: a report with evidence, then a complaint from filing to its rating, by every person's own client. */

import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import { type Api, ApiError, at, clientOf, dataOf, once, type Schemas, until, upload } from "./client.js";

/** What the test gives: addresses, access tokens of the demo staff, a mobile whose SMS the simulator shows, two files. */
interface Stage {
  readonly gateway: string;
  readonly simulator: string;
  readonly mobile: string;
  readonly tokens: Readonly<Record<"screener" | "inspector" | "liaison", string>>;
  readonly inspector: string;
  readonly photo: string;
  readonly sound: string;
}

class Phone {
  private after = 0;

  constructor(
    private readonly simulator: string,
    readonly mobile: string,
  ) {}

  /** The text of the next SMS. */
  async next(): Promise<string> {
    const query = new URLSearchParams({ receptor: this.mobile, after: String(this.after), wait: "60" });
    const answer = await fetch(`${this.simulator}/_control/messages?${query}`);
    const { messages } = (await answer.json()) as { messages: { number: number; text: string }[] };
    const [message] = messages;
    assert(message, "no SMS came");
    this.after = message.number;
    return message.text;
  }
}

/** The case that this code is of, once it is registered. */
async function caseOf(api: Api, code: string, wanted: (one: Schemas["CaseView"]) => boolean, what: string) {
  const header = { "Tracking-Code": code };
  return until(
    async () => {
      const shown = dataOf(await api.GET("/v1/tracking", { params: { header } }));
      return shown.stage === "registering" ? undefined : shown;
    },
    wanted,
    what,
  );
}

async function reportWithEvidence(api: Api, stage: Stage): Promise<void> {
  const photo = await upload(api, "street.jpg", "image/jpeg", new Uint8Array(await readFile(stage.photo)));
  const sound = await upload(api, "note.wav", "audio/wav", new Uint8Array(await readFile(stage.sound)));
  const body: Schemas["SubmissionBody"] = {
    kind: "information",
    unit: "dep.civ.roads",
    ground: "waste",
    text: "آسفالت نو این خیابان یک هفته پیش ریخته شد و امروز دوباره کنده شده است.",
    place: { address: "قزوین، خیابان فلسطین" },
    uploads: [photo, sound],
    consent: true,
  };
  const key = once();
  const filed = dataOf(await api.POST("/v1/submissions", { params: { header: key }, body }));
  const again = dataOf(await api.POST("/v1/submissions", { params: { header: key }, body }));
  assert.equal(again.tracking_code, filed.tracking_code, "filing is repeated safely");

  const header = { "Tracking-Code": filed.tracking_code };
  const shown = await caseOf(
    api,
    filed.tracking_code,
    (one) => one.attachments.length === 2 && one.attachments.every((file) => file.state === "accepted"),
    "the evidence is examined",
  );
  assert.equal(shown.stage, "registered");
  const download = await api.GET("/v1/tracking/attachments/{media_id}", {
    params: { header, path: { media_id: photo } },
    parseAs: "arrayBuffer",
  });
  assert.equal(download.response.headers.get("content-type"), "image/jpeg");
}

async function signIn(api: Api, stage: Stage, phone: Phone): Promise<string> {
  dataOf(await api.POST("/v1/auth/codes", { body: { mobile: stage.mobile } }));
  const code = /(?<![\d-])\d{6}(?![\d-])/.exec(await phone.next())?.[0];
  assert(code, "the SMS brings a one-time code");
  const tokens = dataOf(await api.POST("/v1/auth/tokens", { body: { mobile: stage.mobile, code } }));
  return tokens.access_token;
}

async function complain(api: Api, phone: Phone): Promise<string> {
  const filed = dataOf(
    await api.POST("/v1/submissions", {
      params: { header: once() },
      body: {
        kind: "complaint",
        unit: "dep.urb.permits",
        ground: "delay",
        answers: { file_number: "1405-2210" },
        text: "پرونده پایان‌کار ساختمان من سه ماه است که در این اداره مانده است.",
        identity: { name: "شاکی نمونه" },
        consent: true,
      },
    }),
  );
  assert((await phone.next()).includes(filed.tracking_code.replaceAll(" ", "-")), "the code comes by SMS, too");
  return filed.tracking_code;
}

async function handle(stage: Stage, citizen: Api, code: string): Promise<string> {
  const header = { "Tracking-Code": code };
  const { case_id } = await caseOf(citizen, code, () => true, "the case is registered");
  const path = { case_id };
  const [screener, inspector, liaison] = (["screener", "inspector", "liaison"] as const).map((who) =>
    clientOf(stage.gateway, { token: stage.tokens[who] }),
  );
  assert(screener && inspector && liaison);

  let seen = dataOf(await screener.GET("/v1/cases/{case_id}", { params: { path } }));
  seen = dataOf(
    await screener.POST("/v1/cases/{case_id}/screening", { params: { path, header: at(seen.version) }, body: {} }),
  );
  seen = dataOf(
    await screener.POST("/v1/cases/{case_id}/assignment", {
      params: { path, header: at(seen.version) },
      body: { inspector: stage.inspector },
    }),
  );
  const stale = await inspector.POST("/v1/cases/{case_id}/citizen-questions", {
    params: { path, header: at(seen.version - 1) },
    body: { text: "نخستین بار چه روزی به اداره مراجعه کردید؟" },
  });
  assert.equal(stale.error?.code, "stale_version");
  assert.equal(stale.error.params?.current, seen.version);
  seen = dataOf(
    await inspector.POST("/v1/cases/{case_id}/citizen-questions", {
      params: { path, header: at(seen.version) },
      body: { text: "نخستین بار چه روزی به اداره مراجعه کردید؟" },
    }),
  );
  assert.equal(seen.stage, "awaiting_citizen");

  const asked = await caseOf(citizen, code, (one) => one.question !== null, "the question appears");
  assert.equal(asked.question?.text, "نخستین بار چه روزی به اداره مراجعه کردید؟");
  dataOf(
    await citizen.POST("/v1/tracking/answers", {
      params: { header: { ...header, ...once() } },
      body: { text: "دوم شهریور.", uploads: [] },
    }),
  );

  seen = dataOf(await inspector.GET("/v1/cases/{case_id}", { params: { path } }));
  seen = dataOf(
    await inspector.POST("/v1/cases/{case_id}/unit-questions", {
      params: { path, header: at(seen.version) },
      body: { text: "چرا این پرونده بی‌اقدام مانده است؟" },
    }),
  );
  const question = seen.questions.find((one) => one.unit !== null && one.answer === null);
  assert(question, "the unit is asked");
  const hidden = await liaison.GET("/v1/cases/{case_id}", { params: { path } });
  assert.equal(hidden.data, undefined, "the liaison does not see the case");
  dataOf(
    await liaison.POST("/v1/unit-questions/{question_id}/answer", {
      params: { path: { question_id: question.question_id }, header: once() },
      body: { text: "پرونده فراموش شده بود." },
    }),
  );
  seen = dataOf(await inspector.GET("/v1/cases/{case_id}", { params: { path } }));
  seen = dataOf(
    await inspector.POST("/v1/cases/{case_id}/decision", {
      params: { path, header: at(seen.version) },
      body: {
        outcome: "upheld",
        reasons: "پرونده هشتاد روز بی‌اقدام مانده است.",
        root_causes: ["process"],
        recommendations: [],
      },
    }),
  );
  assert.equal(seen.stage, "decided");
  return case_id;
}

async function hear(citizen: Api, code: string): Promise<void> {
  const header = { "Tracking-Code": code };
  const told = await caseOf(citizen, code, (one) => one.decision !== null, "the decision arrives");
  assert.equal(told.decision?.outcome, "upheld");
  const rated = dataOf(
    await citizen.POST("/v1/tracking/rating", { params: { header: { ...header, ...once() } }, body: { score: 5 } }),
  );
  assert.equal(rated.score, 5);
  const messages = dataOf(await citizen.GET("/v1/tracking/messages", { params: { header } }));
  assert(messages.items.length > 0, "the inbox holds what was told");
}

async function refusals(api: Api): Promise<void> {
  const wrong = await api.GET("/v1/tracking", { params: { header: { "Tracking-Code": "1234 5678 9012 3456" } } });
  assert.equal(wrong.error?.code, "unknown_tracking_code");
  const filed = await api.POST("/v1/submissions", {
    params: { header: once() },
    body: { kind: "information", unit: "dep.civ.roads", ground: "waste", text: "ب", consent: true },
  });
  assert.equal(filed.error?.status, 422);
  assert.throws(() => dataOf(filed), ApiError);
}

const stage = JSON.parse(await readFile("stage.json", "utf8")) as Stage;
const anybody = clientOf(stage.gateway);
const phone = new Phone(stage.simulator, stage.mobile);
await reportWithEvidence(anybody, stage);
await refusals(anybody);
const citizen = clientOf(stage.gateway, { token: await signIn(anybody, stage, phone) });
const code = await complain(citizen, phone);
await handle(stage, clientOf(stage.gateway), code);
await hear(clientOf(stage.gateway), code);
console.log("the story was played");
