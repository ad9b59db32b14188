/** Keeps the beginning and the end of an output, however long it is. */

/** Takes chunks; holds at most `bytesMax` of them, half from the start and half from the end. */
export class Output {
  readonly #bytesMax: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  readonly #tail: Buffer[] = [];
  #tailBytes = 0;
  #leftOut = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(chunk: Buffer): void {
    const half = Math.ceil(this.#bytesMax / 2);
    const room = Math.max(0, half - this.#headBytes);
    if (room > 0) {
      // Copied: a slice would keep all of the pipe's buffer alive.
      this.#head.push(Buffer.from(chunk.subarray(0, room)));
      this.#headBytes += Math.min(room, chunk.length);
    }
    if (chunk.length <= room) return;
    const rest = Buffer.from(chunk.subarray(room));
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    const tailMax = this.#bytesMax - half;
    let first = this.#tail[0];
    while (first !== undefined && this.#tailBytes - first.length >= tailMax) {
      this.#tail.shift();
      this.#tailBytes -= first.length;
      this.#leftOut += first.length;
      first = this.#tail[0];
    }
  }

  /** Never more than the limit and one chunk. */
  get heldBytes(): number {
    return this.#headBytes + this.#tailBytes;
  }

  /** The whole text, or its two ends with a line between them that says how much is missing. */
  read(): { text: string; truncated: boolean } {
    const tail = Buffer.concat(this.#tail);
    const over = Math.max(0, this.#headBytes + tail.length - this.#bytesMax);
    const leftOut = this.#leftOut + over;
    const head = Buffer.concat(this.#head);
    if (leftOut === 0)
      return { text: Buffer.concat([head, tail]).toString("utf8"), truncated: false };
    const end = tail.subarray(over).toString("utf8");
    return {
      text: `${head.toString("utf8")}\n[${leftOut} bytes left out]\n${end}`,
      truncated: true,
    };
  }
}
