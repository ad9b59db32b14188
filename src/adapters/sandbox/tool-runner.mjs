/** Carries out one file tool in the working directory: a JSON request on stdin, a JSON answer on stdout. */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const READ_BYTES_MAX = 2_000_000;
const READ_LINES_MAX = 1_000;
const SHOWN_BYTES_MAX = 60_000;
const LINE_LENGTH_MAX = 2_000;
const LIST_MAX = 1_000;
const MATCHES_MAX = 200;
const SEARCHED_BYTES_MAX = 1_000_000;

const top = process.cwd();

/** A refusal the model can act on. */
class Refusal extends Error {}

/** The absolute path of something in the workspace, links on the way resolved; it need not exist. */
function inside(path) {
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new Refusal(
      "The path is empty. Give a path relative to the workspace, such as src/a.ts.",
    );
  }
  const wanted = resolve(top, path);
  let known = wanted;
  while (lstatSync(known, { throwIfNoEntry: false }) === undefined) known = dirname(known);
  let real;
  try {
    real = resolve(realpathSync(known), relative(known, wanted));
  } catch {
    throw new Refusal(`${path} goes through a link that leads nowhere.`);
  }
  const from = relative(top, real);
  if (from === ".." || from.startsWith("../")) {
    throw new Refusal(
      `${path} is outside the workspace. Only paths below it can be used, such as src/a.ts.`,
    );
  }
  return real;
}

/** All files below a folder, sorted, no link followed, dependency folders left out. */
function filesBelow(folder) {
  const files = [];
  const visit = (at) => {
    for (const entry of readdirSync(at, { withFileTypes: true }).sort(byName)) {
      if (entry.name === "node_modules" || entry.name === ".venv") continue;
      if (entry.isDirectory()) visit(join(at, entry.name));
      else files.push(relative(top, join(at, entry.name)));
    }
  };
  visit(folder);
  return files;
}

function byName(a, b) {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

function readText(path) {
  const file = inside(path);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) {
    const near = filesBelow(top).slice(0, 40);
    throw new Refusal(
      `There is no file ${path}. There are: ${near.length > 0 ? near.join(", ") : "no files yet"}.`,
    );
  }
  if (stats.isDirectory()) throw new Refusal(`${path} is a folder. Use list_files.`);
  if (!stats.isFile()) throw new Refusal(`${path} is not a regular file.`);
  if (stats.size > READ_BYTES_MAX) {
    throw new Refusal(`${path} is too large to read (${stats.size} bytes). Use search_files.`);
  }
  const bytes = readFileSync(file);
  if (bytes.includes(0)) throw new Refusal(`${path} is not a text file.`);
  return bytes.toString("utf8");
}

function writeText(path, text) {
  const file = inside(path);
  if (file === top) throw new Refusal("The path names the workspace itself, not a file.");
  if (lstatSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Refusal(`${path} is a folder, so it cannot be written as a file.`);
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const TOOLS = {
  read_file({ path, from_line: from = 1, lines: count = READ_LINES_MAX }) {
    const lines = readText(path).split("\n");
    const ended = lines.at(-1) === "" && lines.length > 1 ? lines.slice(0, -1) : lines;
    if (from > ended.length) {
      throw new Refusal(`${path} has only ${ended.length} lines.`);
    }
    const shown = [];
    let bytes = 0;
    for (const line of ended.slice(from - 1, from - 1 + count)) {
      bytes += Buffer.byteLength(line) + 1;
      if (bytes > SHOWN_BYTES_MAX && shown.length > 0) break;
      shown.push(line.slice(0, SHOWN_BYTES_MAX));
    }
    const next = from + shown.length;
    const rest = ended.length - next + 1;
    const note = rest > 0 ? `\n[${rest} more lines; go on with from_line ${next}]` : "";
    return shown.join("\n") + note;
  },

  write_file({ path, text }) {
    writeText(path, text);
    return `Wrote ${path} (${Buffer.byteLength(text)} bytes).`;
  },

  edit_file({ path, old, new: replacement }) {
    if (old === "") throw new Refusal("`old` is empty. Give the text to replace.");
    const text = readText(path);
    const count = text.split(old).length - 1;
    if (count === 0) {
      throw new Refusal(
        `\`old\` is not in ${path}. It must match exactly, white space included; read the file first.`,
      );
    }
    if (count > 1) {
      throw new Refusal(
        `\`old\` is in ${path} ${count} times. Give more of the lines around it, so that it fits once.`,
      );
    }
    // A function, so that `$&` in the new text stays as it is.
    writeText(
      path,
      text.replace(old, () => replacement),
    );
    return `Changed ${path}.`;
  },

  list_files({ path = "." }) {
    const folder = inside(path);
    const stats = statSync(folder, { throwIfNoEntry: false });
    if (stats === undefined) throw new Refusal(`There is no folder ${path}.`);
    if (!stats.isDirectory()) throw new Refusal(`${path} is a file. Use read_file.`);
    const files = filesBelow(folder);
    if (files.length === 0) return "No files.";
    const rest = files.length - LIST_MAX;
    return files.slice(0, LIST_MAX).join("\n") + (rest > 0 ? `\n[${rest} more files]` : "");
  },

  search_files({ pattern, path = "." }) {
    let expression;
    try {
      expression = new RegExp(pattern, "u");
    } catch {
      try {
        expression = new RegExp(pattern);
      } catch (error) {
        throw new Refusal(`The pattern is no regular expression: ${error.message}`);
      }
    }
    const at = inside(path);
    const stats = statSync(at, { throwIfNoEntry: false });
    if (stats === undefined) throw new Refusal(`There is no ${path}.`);
    const matches = [];
    for (const file of stats.isDirectory() ? filesBelow(at) : [relative(top, at)]) {
      const found = lstatSync(join(top, file));
      if (!found.isFile() || found.size > SEARCHED_BYTES_MAX) continue;
      const bytes = readFileSync(join(top, file));
      if (bytes.includes(0)) continue;
      for (const [index, line] of bytes.toString("utf8").split("\n").entries()) {
        if (!expression.test(line)) continue;
        if (matches.length === MATCHES_MAX) {
          return `${matches.join("\n")}\n[more than ${MATCHES_MAX} lines match; narrow the pattern]`;
        }
        matches.push(`${file}:${index + 1}: ${line.slice(0, LINE_LENGTH_MAX)}`);
      }
    }
    return matches.length > 0 ? matches.join("\n") : "Nothing matches.";
  },
};

/** What a file system error means to somebody who asked for a tool. */
const MEANING = {
  EACCES: "may not be used",
  EPERM: "may not be used",
  EROFS: "is read-only here",
  ENOTDIR: "goes through something that is a file, not a folder",
  EISDIR: "is a folder",
  ENAMETOOLONG: "is too long a name",
  ENOSPC: "does not fit: no space is left",
  EFBIG: "is too large",
  ENOENT: "is not there",
  ELOOP: "goes through a link that leads nowhere",
};

function answer() {
  try {
    const { tool, args } = JSON.parse(readFileSync(0, "utf8"));
    if (!Object.hasOwn(TOOLS, tool)) throw new Refusal(`There is no tool ${tool}.`);
    return { text: TOOLS[tool](args ?? {}), isError: false };
  } catch (error) {
    if (error instanceof Refusal) return { text: error.message, isError: true };
    const path = typeof error.path === "string" ? relative(top, error.path) || "." : "The path";
    const meaning = MEANING[error.code];
    return {
      text: meaning ? `${path} ${meaning}.` : `The tool failed: ${error.message}`,
      isError: true,
    };
  }
}

process.stdout.write(JSON.stringify(answer()));
