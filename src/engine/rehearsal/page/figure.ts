/** A chart with its name, its legend, and the same data as a table for whoever does not see it or wants the numbers. */
import { html, type Markup, type Part } from "./markup.ts";
import type { Words } from "./words.ts";
import type { MessageKey } from "./messages-en.ts";

export type LegendEntry = { readonly look: string; readonly name: Markup; readonly isLine?: boolean | undefined };
export type DataTable = { readonly head: readonly Part[]; readonly rows: readonly (readonly Part[])[] };
export type Figure = {
  readonly id: string;
  readonly title: MessageKey;
  readonly hint: MessageKey;
  readonly axis: MessageKey;
  readonly legend: readonly LegendEntry[];
  readonly chart: (labelledBy: string) => Markup;
  readonly table: DataTable;
};

export function figure(words: Words, { id, title, hint, axis, legend, chart, table }: Figure): Markup {
  const labelledBy = `${id}-title ${id}-hint`;
  const entries = legend.map(
    ({ look, name, isLine }) =>
      html`<li>
        <svg class="swatch" viewBox="0 0 22 12" aria-hidden="true">
          ${isLine ? html`<line class="line ${look}" x1="0" x2="22" y1="6" y2="6" />` : html`<rect class="area ${look}" x="3" y="0" width="16" height="12" rx="2" />`}</svg
        >${name}
      </li>`,
  );
  return html`<figure class="card" id="${id}">
    <figcaption>
      <h2 id="${id}-title">${words.say(title)}</h2>
      <p class="hint" id="${id}-hint">${words.say(hint)}</p>
    </figcaption>
    <ul class="legend">
      ${entries}
    </ul>
    <div class="plot" tabindex="0" role="group" aria-labelledby="${id}-title">
      ${chart(labelledBy)}
      <p class="axis-name">${words.say(axis)}</p>
    </div>
    <details>
      <summary>${words.say("data_table")}</summary>
      <div class="scroll" tabindex="0" role="group" aria-labelledby="${id}-title">${dataTable(table, html`${words.say(title)}`)}</div>
    </details>
  </figure>`;
}

/** First column names the row; the others are numbers. */
export function dataTable({ head, rows }: DataTable, caption?: Markup): Markup {
  const title =
    caption === undefined
      ? undefined
      : html`<caption>
          ${caption}
        </caption>`;
  return html`<table>
    ${title}
    <thead>
      <tr>
        ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([name, ...cells]) =>
          html`<tr>
            <th scope="row">${name}</th>
            ${cells.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}
