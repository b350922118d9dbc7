/**
 * What our user may do at a RabbitMQ, tried so that nothing is done: on a queue that is never there, for its number is
 * beyond every partition, and each on a channel of its own, which ends with the first refusal.
 */
import type { ChannelModel, ConfirmChannel } from "amqplib";
import type { BrokerRight } from "../../ports/broker-facts.ts";
import { queueName } from "./partitions.ts";

/** Options allow no more partitions than this. */
const nowhere = queueName(256);
const refused = 403;
const answerMaxMs = 5_000;

/** The broker said no, with a number; everything else is thrown. */
export type ChannelAnswer<Value> =
  | { readonly kind: "ok"; readonly value: Value }
  | { readonly kind: "no"; readonly code: number; readonly said: string };

export class BrokerSilent extends Error {
  override readonly name = "BrokerSilent";
  readonly code = "ETIMEDOUT";
  constructor() {
    super("The broker did not answer in time");
  }
}

export async function onChannel<Value>(
  model: ChannelModel,
  ask: (channel: ConfirmChannel) => Promise<Value>,
): Promise<ChannelAnswer<Value>> {
  const channel = await inTime(model.createConfirmChannel());
  const { promise: ended, reject } = Promise.withResolvers<never>();
  channel.on("error", reject);
  // Whoever asks hears of it; when nobody does, it is no matter.
  ended.catch(() => undefined);
  try {
    const value = await inTime(Promise.race([ask(channel), ended]));
    await inTime(channel.close());
    return { kind: "ok", value };
  } catch (error) {
    if (error instanceof Error && "code" in error && typeof error.code === "number")
      return { kind: "no", code: error.code, said: saidIn(error.message) };
    throw error;
  }
}

/** Undefined: it was not compared, since we may not make queues. */
export async function differenceOf(
  model: ChannelModel,
  declare: (channel: ConfirmChannel) => Promise<unknown>,
): Promise<string | undefined> {
  const answer = await onChannel(model, declare);
  return answer.kind === "ok" || answer.code === refused ? undefined : differenceIn(answer.said);
}

export type Trials = { readonly lacking: readonly BrokerRight[]; readonly alarm: string | undefined };

/** To be tried last: where the broker takes no messages it hears nothing more on this connection. */
export async function tryRights(model: ChannelModel): Promise<Trials> {
  const isRefused = (answer: ChannelAnswer<unknown> | undefined) => answer?.kind === "no" && answer.code === refused;
  const lacking: BrokerRight[] = [];
  // Rights are looked at before arguments; one with these is never made, and if it were, it would end with us.
  const impossible = { durable: false, exclusive: true, arguments: { "x-expires": "soon" } };
  if (isRefused(await onChannel(model, (channel) => channel.assertQueue(nowhere, impossible)))) lacking.push("configure");
  if (isRefused(await onChannel(model, (channel) => channel.get(nowhere, { noAck: false })))) lacking.push("read");
  let alarm: string | undefined;
  const { promise: blocked, reject } = Promise.withResolvers<never>();
  blocked.catch(() => undefined);
  model.once("blocked", (reason: string) => {
    alarm = reason;
    reject(new Error(reason));
  });
  const sent = await onChannel(model, (channel) => Promise.race([blocked, sendNowhere(channel)])).catch((error: unknown) => {
    // Nothing on this connection is answered any more.
    if (alarm === undefined) throw error;
    return undefined;
  });
  if (isRefused(sent)) lacking.push("write");
  return { lacking, alarm };
}

/** It comes back, for there is no such queue; of an alarm the broker tells only who sends something. */
const sendNowhere = (channel: ConfirmChannel): Promise<void> =>
  new Promise((resolve) => {
    channel.publish("", nowhere, Buffer.from("doctor"), { mandatory: true }, (error: unknown) => {
      if (error === null || error === undefined) resolve();
    });
  });

export async function inTime<Value>(asked: Promise<Value>, ms: number = answerMaxMs): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new BrokerSilent()), ms);
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The client wraps what the broker says. */
const saidIn = (message: string): string => /with message "([\s\S]*)"$/.exec(message)?.[1] ?? message;

/** `inequivalent arg 'x' for queue 'y' in vhost 'z': received … but current is …` as far as it says something new. */
function differenceIn(said: string): string {
  const [, what = "", values] = /inequivalent arg '([^']+)' for queue .*?: (received .*)$/.exec(said) ?? [];
  return values === undefined ? said : `${what}: ${values.replace(/^received/, "wanted").replaceAll("the value ", "")}`;
}
