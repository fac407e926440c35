export type Cell = string | number | null | undefined;

/**
 * Places where a spreadsheet would take text for a formula (OWASP, CSV Injection): the start of a cell, and what a
 * program that separates at semicolons, tabs or lines would make the start of one. Names of models and apps are whatever
 * an app chose.
 */
const formulaStart = /(^|[;\t\r\n])(?=[=+\-@＝＋－＠\t\r])/g;

/** A line of CSV (RFC 4180). Text that a spreadsheet would run gets an apostrophe before it; numbers stay as they are. */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

function cellText(cell: Cell): string {
  if (typeof cell !== 'string') return String(cell ?? '');
  const text = cell.replaceAll(formulaStart, "$1'");
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
