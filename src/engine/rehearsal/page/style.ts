/** The pages' one style sheet. Its digest stands in the content policy, so nothing else can style or load anything. */
import { languages } from "./words.ts";

const palette = `
:root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--ink:#1b2129;--soft:#586474;--line:#dde2e9;--grid:#e7ebf0;--accent:#1f6feb;
--good:#147a3d;--good-bg:#e6f4ea;--warn:#8a5300;--warn-bg:#fdf1dc;--bad:#b3261e;--bad-bg:#fce8e6;
--attempts:#9db8dc;--accepted:#1a8a4a;--replayed:#86c79f;--plan:#3d4754;--errors:#c62828;--busy:#e07b39;--rest:#a7adb7;
--r0:#4c78a8;--r1:#8f6fb5;--r2:#d6a233;--r3:#3fa7b5;--r4:#b07a6a;--p50:#1f6feb;--p90:#7b4fc9;--p99:#c2571a;--max:#8a929e;--free:#b9cfe8;--held:#e3ac3d;--sold:#1a8a4a}
@media (prefers-color-scheme:dark){:root{--page:#12161b;--card:#1b2128;--ink:#e6eaf0;--soft:#9aa7b8;--line:#323b46;--grid:#29313b;--accent:#7ab1ff;
--good:#6ad492;--good-bg:#14301f;--warn:#f2c078;--warn-bg:#352814;--bad:#ff9a91;--bad-bg:#3a1a18;
--attempts:#48648a;--accepted:#47c07c;--replayed:#2f7a50;--plan:#c3ccd8;--errors:#ff6b61;--busy:#f0995c;--rest:#6c7684;
--r0:#6ea1dc;--r1:#b697e0;--r2:#e3bd5e;--r3:#5fc4d1;--r4:#d0a090;--p50:#7ab1ff;--p90:#b79af0;--p99:#f0995c;--max:#8792a2;--free:#3b5475;--held:#d9a441;--sold:#47c07c}}`;

const layout = `
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:980px;margin:0 auto;padding:20px 16px 48px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px}h2{font-size:18px;margin:0 0 2px}h3{font-size:15px;margin:18px 0 6px}
p{margin:0 0 8px}.hint,.soft{color:var(--soft);font-size:13.5px}.name{overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:18px 20px;margin:16px 0}
figure{margin:16px 0}
.switch{display:flex;gap:4px;justify-content:flex-end;max-width:980px;margin:0 auto;padding:14px 16px 0}
.languages{position:absolute;opacity:0;width:1px;height:1px}
.switch label{padding:4px 12px;border:1px solid var(--line);border-radius:999px;color:var(--soft);cursor:pointer;font-size:13.5px}
.verdict{border-left:6px solid;display:flex;gap:14px;align-items:flex-start}
.verdict .sign{font-size:26px;line-height:1.2;font-weight:700}.verdict h2{font-size:20px}.verdict p{margin:2px 0 0}
.verdict.valid{border-left-color:var(--good);background:var(--good-bg)}.verdict.valid .sign,.verdict.valid h2{color:var(--good)}
.verdict.aborted{border-left-color:var(--warn);background:var(--warn-bg)}.verdict.aborted .sign,.verdict.aborted h2{color:var(--warn)}
.verdict.invalid{border-left-color:var(--bad);background:var(--bad-bg)}.verdict.invalid .sign,.verdict.invalid h2{color:var(--bad)}
.warning{border-left:6px solid var(--warn);background:var(--warn-bg)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(270px,46%),1fr));gap:12px;margin:16px 0;padding:0;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:12px 16px}
.tiles .value{font-size:25px;font-weight:650;line-height:1.25;display:block}.tiles .label{font-size:13.5px;font-weight:600}.tiles .hint{display:block;line-height:1.4}
dl{display:grid;grid-template-columns:minmax(120px,max-content) 1fr;gap:5px 20px;margin:10px 0 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr));gap:0 16px}
table{border-collapse:collapse;width:100%;font-size:14px}caption{text-align:left;color:var(--soft);font-size:13px;padding:0 0 6px}
th,td{padding:5px 10px;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}th:first-child{text-align:left;padding-left:0}
thead th{color:var(--soft);font-weight:600;font-size:13px}tbody th{font-weight:500}td.text,th.text{text-align:left}
tbody tr:last-child>*{border-bottom:0}.scroll{overflow:auto;max-height:420px}.wide{overflow-x:auto}
.plot{overflow-x:auto}.plot svg{display:block;width:100%;min-width:560px;height:auto}
.plot text{font-size:12px;fill:var(--soft);font-family:inherit}.axis-name{color:var(--soft);font-size:12.5px;text-align:center;margin:0}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:8px 0 6px;padding:0;font-size:13.5px}.legend li{display:flex;align-items:center;gap:7px}
.swatch{width:22px;height:12px;flex:none}
details{margin-top:8px}summary{cursor:pointer;color:var(--accent);font-size:13.5px;padding:4px 0;width:fit-content}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.bar{width:100%;min-width:90px;height:10px;display:block;margin-top:6px}.bar .track{fill:var(--grid)}
ul.problems{margin:8px 0 0;padding-left:20px}ul.problems li{overflow-wrap:anywhere}
.mark-good{color:var(--good)}.mark-bad{color:var(--bad);font-weight:650}.mark-soft{color:var(--soft)}
footer{color:var(--soft);font-size:13px;text-align:center;margin-top:28px}`;

const drawing = `
.grid{stroke:var(--grid)}.axis,.tick{stroke:var(--soft)}.mark{stroke:var(--soft);stroke-dasharray:3 4}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke:var(--c)}.area,.dot{fill:var(--c)}.dashed{stroke-dasharray:6 4}
.c-attempts{--c:var(--attempts)}.c-accepted{--c:var(--accepted)}.c-replayed{--c:var(--replayed)}.c-plan{--c:var(--plan);stroke-width:1.5}.c-errors{--c:var(--errors)}
.c-busy{--c:var(--busy)}.c-rest{--c:var(--rest)}.c-reason-0{--c:var(--r0)}.c-reason-1{--c:var(--r1)}.c-reason-2{--c:var(--r2)}.c-reason-3{--c:var(--r3)}.c-reason-4{--c:var(--r4)}
.c-p50{--c:var(--p50)}.c-p90{--c:var(--p90);stroke-dasharray:8 3}.c-p99{--c:var(--p99);stroke-width:2.5}.c-max{--c:var(--max);stroke-dasharray:2 4}
.c-mark{--c:var(--soft);stroke-width:1;stroke-dasharray:3 4}.c-free{--c:var(--free)}.c-held{--c:var(--held)}.c-sold{--c:var(--sold)}.c-run-a{--c:var(--max);stroke-dasharray:8 3}.c-run-b{--c:var(--accent)}`;

/** Whichever radio button is on hides the words of the others. */
const switching = languages
  .map((language) => {
    const on = `#say-${language}`;
    const others = languages.filter((other) => other !== language).map((other) => `body:has(${on}:checked) .in-${other}`);
    return `${others.join(",")}{display:none}`;
  })
  .join("")
  .concat(
    ".languages:checked+label{background:var(--card);color:var(--ink);border-color:var(--soft);font-weight:600}",
    ".languages:focus-visible+label{outline:2px solid var(--accent);outline-offset:2px}",
  );

const printing = `
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--grid:#ddd}
body{font-size:11pt}main{max-width:none;padding:0}.switch,details{display:none}.card,.tiles li{border-radius:0;break-inside:avoid}
.plot{overflow:visible}.plot svg{min-width:0}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}`;

export const style: string = [palette, layout, drawing, switching, printing].join("").replaceAll("\n", "");
