import type { Reply } from "../envelope.ts";
import type { Route } from "../route.ts";

/** The envelope as one seed has it, `{code, msg, data}`: `msg` says what `message` says. */
export function withMsg(route: Route): Route {
  return { ...route, contract: { ...route.contract, saysMsg: true }, answer: async (ask) => msgBeside(await route.answer(ask)) };
}

/** Every envelope begins with its code and its message, a JSON string. */
const beginning = /^\{"code":\d+,"message":("(?:[^"\\]|\\.)*"),/;

export function msgBeside(reply: Reply): Reply {
  const [head, message] = beginning.exec(reply.body) ?? [];
  if (head === undefined || message === undefined) return reply;
  return { ...reply, body: `${head}"msg":${message},${reply.body.slice(head.length)}` };
}
