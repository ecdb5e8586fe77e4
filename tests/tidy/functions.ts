// SPDX-License-Identifier: Apache-2.0
// Lengths of functions, from the braces of the masked source. Only blocks that are long are
// looked at closely, so the reading of signatures can be simple.

import { isC, isTypeScript, lineAt, type SourceFile, type Violation } from "./source_tree.ts";

export const functionLinesMax = 70;

export function longFunctions(file: SourceFile): Violation[] {
  if (!isTypeScript(file.path) && !isC(file.path)) return [];
  const found: Violation[] = [];
  const opened: number[] = [];
  const code = file.masked;
  for (let i = 0; i < code.length; i++) {
    const c = code.charAt(i);
    if (c === "{") opened.push(i);
    if (c !== "}") continue;
    const start = opened.pop();
    if (start === undefined) continue;
    const headLine = lineAt(code, start);
    const lines = lineAt(code, i) - headLine + 1;
    if (lines <= functionLinesMax || !opensFunction(header(code, start), isC(file.path))) continue;
    found.push(
      `${file.path}:${headLine}: function of ${lines} lines, at most ${functionLinesMax}; ` +
        `give a part that has a name of its own a function of its own`,
    );
  }
  return found;
}

/** The statement that a brace belongs to, back to the end of the one before; one line of text. */
function header(code: string, brace: number): string {
  let depth = 0;
  let start = brace - 1;
  for (; start >= 0; start--) {
    const c = code.charAt(start);
    if (c === ")" || c === "]") depth++;
    else if (c === "(" || c === "[") depth--;
    if (depth < 0 || (depth === 0 && /[;{}]/.test(c))) break;
  }
  return code.slice(start + 1, brace).replace(/\s+/g, " ").trim();
}

const modifiers = "(export |default |async |static |override |private |get |set |\\*|#)*";
const method = new RegExp(`^${modifiers}[\\w$[\\].]+ ?(<.*>)?\\(.*\\)( ?:.*)?$`);

function opensFunction(head: string, inC: boolean): boolean {
  if (/^(\} )?(if|for|while|switch|else|do|catch|try|finally|with)\b/.test(head)) return false;
  if (/\b(class|interface|enum|namespace|struct|union)\b[^()]*$/.test(head)) return false;
  if (inC) return /\)$/.test(head) || /\)\s*(__\w+(\(.*\))?)$/.test(head);
  if (/=>$/.test(head)) return true;
  if (/\bfunction\b/.test(head)) return true;
  return method.test(head);
}
