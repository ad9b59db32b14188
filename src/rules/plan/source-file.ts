/** Which files fractal can write stubs for and call from a test: JavaScript and TypeScript modules. */

const MODULE = /\.(?:m?[jt]sx?)$/;
const RUNNABLE = /\.(?:[cm]?[jt]s)$/;
const LANGUAGES = new Set(["javascript", "js", "typescript", "ts", "node", "nodejs", "node.js"]);

/** A module whose exports can be written as stubs. */
export function hasStubs(file: string): boolean {
  return MODULE.test(file) && !file.endsWith(".d.ts");
}

/** A file whose exports plain Node can import, types stripped. */
export function isCallable(file: string): boolean {
  return RUNNABLE.test(file) && !file.endsWith(".d.ts");
}

/** Whether a file holds TypeScript. */
export function isTyped(file: string): boolean {
  return /\.m?tsx?$/.test(file);
}

/**
 * Whether examples of this work are rendered to a JavaScript test: by the spec's language, or, where
 * it names none, by the files.
 */
export function isNodeWork(language: string | undefined, files: readonly string[]): boolean {
  if (language !== undefined) return LANGUAGES.has(language.toLowerCase());
  return files.some((file) => isCallable(file) || hasStubs(file));
}
