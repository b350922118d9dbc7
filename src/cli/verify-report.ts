/** What `doorbuster verify` shows people: one line per check, and under it every row that is off. Pure text. */
import type { CheckResult, Verdict } from "../engine/verify/check.ts";
import type { VerifyReport } from "../engine/verify/verify.ts";

type Paint = (text: string, verdict: Verdict) => string;
const marks: Readonly<Record<Verdict, string>> = { valid: "ok", invalid: "OFF", unknown: "?" };
const colours: Readonly<Record<Verdict, string>> = { valid: "\u001B[32m", invalid: "\u001B[31m", unknown: "\u001B[33m" };
const reset = "\u001B[0m";

const painted: Paint = (text, verdict) => `${colours[verdict]}${text}${reset}`;
const plain: Paint = (text) => text;

/** Ends with a newline. */
export function renderVerifyReport(report: VerifyReport, { colour }: { colour: boolean }): string {
  const paint = colour ? painted : plain;
  const title = Math.max(...report.checks.map((check) => check.title.length));
  const looked = Math.max(...report.checks.map((check) => lookedAt(check).length));
  const lines = report.checks.flatMap((check) => linesOf(check, { title, looked }, paint));
  const rows = Object.entries(report.rows).map(([table, count]) => `${grouped(count)} ${table}`);
  const head = `Store ${report.store}${report.atRest ? ", at rest" : ""}: ${rows.join(", ")}`;
  return `${[head, "", ...lines, "", `${paint(report.verdict, report.verdict)}: ${summaryOf(report)}`].join("\n")}\n`;
}

function linesOf(check: CheckResult, width: { title: number; looked: number }, paint: Paint): string[] {
  const { id, title, verdict, note, offTotal, off } = check;
  const mark = paint(marks[verdict].padEnd(3), verdict);
  const columns = `${id.padEnd(3)}  ${title.padEnd(width.title)}  ${lookedAt(check).padEnd(width.looked)}`;
  const remarks = [offTotal > 0 ? `${grouped(offTotal)} off` : "", note ?? ""].filter((text) => text !== "").join("; ");
  const rows = off.map(({ row, problem }) => `       ${row}: ${problem}`);
  const more = off.length > 0 && offTotal > off.length ? [`       and ${grouped(offTotal - off.length)} more`] : [];
  return [`${mark}  ${columns}  ${remarks}`.trimEnd(), ...rows, ...more];
}

const lookedAt = ({ checked, unit }: CheckResult) => `${grouped(checked)} ${unit}`;

function summaryOf({ verdict, checks }: VerifyReport): string {
  const off = checks.filter((check) => check.verdict === "invalid").map(({ id }) => id);
  switch (verdict) {
    case "valid":
      return "every check that had something to look at holds";
    case "invalid":
      return `${off.join(", ")} broken`;
    case "unknown":
      return "nothing is off, but too little was looked at to prove anything";
    default:
      return verdict satisfies never;
  }
}

const grouped = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");
