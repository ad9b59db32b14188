/** Finds the first error in what compilers and interpreters print, with its line. */
import { ownFrame } from "./plain-output.ts";

/** The lines that name it, and how many errors there are in all. */
export interface FirstError {
  said: string[];
  count: number;
}

/** Undefined when no compiler or interpreter is recognised. */
export function firstError(text: string): FirstError | undefined {
  return typescript(text) ?? rustc(text) ?? unixStyle(text) ?? python(text) ?? javascript(text);
}

function typescript(text: string): FirstError | undefined {
  const found = [
    ...text.matchAll(
      /^([^\s(:][^(:\n]*)[(:](\d+)[,:]\d+\)?(?: -|:) error (TS\d+): (.+(?:\n {2,}\S.*)*)/gm,
    ),
  ];
  const [, file, line, code, message = ""] = found[0] ?? [];
  if (file === undefined) return undefined;
  const said = message.split("\n").slice(0, 4);
  return { said: [`${file}:${line}: ${code}: ${said[0]}`, ...said.slice(1)], count: found.length };
}

function rustc(text: string): FirstError | undefined {
  const found = [...text.matchAll(/^error(\[E\d+\])?: (.+)\n\s+--> (\S+?:\d+):\d+/gm)];
  const [, code = "", message, place] = found[0] ?? [];
  return place === undefined
    ? undefined
    : { said: [`${place}: error${code}: ${message}`], count: found.length };
}

/** `file:line:column: error: message`, as C compilers and many linters say it, and Go without a word. */
function unixStyle(text: string): FirstError | undefined {
  const found = [
    ...text.matchAll(/^(?:\.\/)?([^\s:/][^\s:]*):(\d+)(?::\d+)?: (?:fatal )?error: *(.+)$/gim),
    ...text.matchAll(/^(?:\.\/)?([^\s:/][^\s:]*\.go):(\d+):\d+: (.+)$/gm),
  ];
  const [, file, line, message] = found[0] ?? [];
  return file === undefined
    ? undefined
    : { said: [`${file}:${line}: error: ${message}`], count: found.length };
}

function python(text: string): FirstError | undefined {
  const frames = [...text.matchAll(/^[ \t]+File "([^"\n]+)", line (\d+)/gm)];
  if (frames.length === 0) return undefined;
  const error = [...text.matchAll(/^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Warning)\b.*)$/gm)].at(
    -1,
  );
  if (error?.[1] === undefined) return undefined;
  const own = frames.filter(([, file = ""]) => !/^[</]/.test(file)).at(-1);
  const place = own ? `${own[1]}:${own[2]}: ` : "";
  return { said: [place + error[1]], count: 1 };
}

function javascript(text: string): FirstError | undefined {
  const error =
    /^(?:Uncaught )?((?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?: .+(?:\n(?!\s+at |\s*$|Node\.js v).*){0,4})/m.exec(
      text,
    );
  if (error?.[1] === undefined) return undefined;
  const said = error[1]
    .replace(/ \[\w+\](?=:)/, "")
    .split("\n")
    .map((line) => line.trimEnd());
  // Above an uncaught error Node prints where it was, the source line, and a mark below it.
  const above = /^([^\s:/][^\s:]*):(\d+)\n(.*)\n\s*\^+\s*\n/m.exec(text.slice(0, error.index));
  if (above) {
    const source = (above[3] ?? "").trim().slice(0, 200);
    return { said: [`${above[1]}:${above[2]}: ${said[0]}`, ...said.slice(1), source], count: 1 };
  }
  const frame = ownFrame(text.slice(error.index));
  return { said: [...said, ...(frame === undefined ? [] : [`at ${frame}`])], count: 1 };
}
