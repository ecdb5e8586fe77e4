// SPDX-License-Identifier: Apache-2.0
// Blanks strings, comments and regular expressions of TypeScript or C, so that rules can look at
// code alone. Every other character, and every line break, keeps its position.

/** `text` with the insides of strings, templates, comments and regular expressions as spaces. */
export function maskSource(text: string): string {
  const out: string[] = [];
  const before = precedingToken();
  const templates: number[] = []; // brace depth at which each open `${` ends
  let depth = 0;
  let at = 0;
  const blankTo = (end: number) => {
    out.push(text.slice(at, end).replace(/[^\n]/g, " "));
    at = end;
  };
  const value = (end: number) => {
    before.code('"');
    blankTo(end);
  };
  const template = () => {
    const { end, opens } = templateEnd(text, at + 1);
    value(end);
    if (!opens) return;
    templates.push(depth++);
    before.code("{");
  };
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const one = two.charAt(0);
    if (two === "//") blankTo(indexOrEnd(text, "\n", at));
    else if (two === "/*") blankTo(indexOrEnd(text, "*/", at + 2, 2));
    else if (one === '"' || one === "'") value(stringEnd(text, at));
    else if (one === "`") template();
    else if (one === "/" && before.allowsRegExp()) value(regExpEnd(text, at));
    else if (one === "}" && templates.at(-1) === depth - 1) {
      templates.pop();
      depth--;
      template();
    } else {
      if (one === "{") depth++;
      if (one === "}") depth--;
      before.code(one);
      out.push(one);
      at++;
    }
  }
  return out.join("");
}

/** Remembers the last token: a slash after a value divides, elsewhere it begins a pattern. */
function precedingToken() {
  let last = "";
  let word = "";
  let gap = false;
  return {
    code(c: string) {
      if (/\s/.test(c)) {
        gap = true;
        return;
      }
      const isWord = /[\w$]/.test(c);
      word = isWord && !gap && /[\w$]/.test(last) ? word + c : isWord ? c : "";
      last = c;
      gap = false;
    },
    allowsRegExp(): boolean {
      if (word === "") return !/[)\]}"]/.test(last);
      return /^(return|typeof|case|in|of|await|yield|void|delete|else|do)$/.test(word);
    },
  };
}

function indexOrEnd(text: string, needle: string, from: number, past = 0): number {
  const index = text.indexOf(needle, from);
  return index < 0 ? text.length : index + past;
}

function stringEnd(text: string, start: number): number {
  const quote = text.charAt(start);
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === "\\") i++;
    else if (c === quote || c === "\n") return i + 1;
  }
  return text.length;
}

/** The end of a template's literal part; `opens` when it ends in `${`, which is code again. */
function templateEnd(text: string, start: number): { end: number; opens: boolean } {
  for (let i = start; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === "\\") i++;
    else if (c === "`") return { end: i + 1, opens: false };
    else if (c === "$" && text.charAt(i + 1) === "{") return { end: i + 2, opens: true };
  }
  return { end: text.length, opens: false };
}

function regExpEnd(text: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === "\\") i++;
    else if (c === "\n") return i;
    else if (c === "[") inClass = true;
    else if (c === "]") inClass = false;
    else if (c === "/" && !inClass) return i + 1;
  }
  return text.length;
}
