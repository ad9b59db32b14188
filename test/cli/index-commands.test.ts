/** query, status and graph as they are typed, with a run, without one, and with slips. */
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { INDEX_TABLES } from "../../src/domain/index-tables.ts";
import type { RunState } from "../../src/domain/run-state.ts";
import { replay } from "../../src/rules/replay.ts";
import { taskOf } from "../../src/rules/status.ts";
import { STATUS_SQL } from "../../src/view/status.ts";
import { aStoreWith, created, eventOf } from "../support/leaf-store.ts";
import { type Given, runLine } from "./fake-world.ts";

/** A run whose `t` failed once and runs again, and a hostile title beside it. */
function aRun(): Given & { state: RunState } {
  const store = aStoreWith("running");
  store.record([eventOf("rejected", taskOf(store.state, "t"))]);
  store.record([eventOf("released", taskOf(store.state, "t"))]);
  store.record([eventOf("leased", taskOf(store.state, "t"))]);
  store.record([
    created("x", "root", {
      contract: { ...taskOf(store.state, "t").contract, title: 'a "b",\n\u001b[31mc' },
    }),
  ]);
  const events = store.journal.read();
  return { state: replay(events), events };
}

describe("fractal query", () => {
  it("answers in lines, as data and as CSV, each whole and harmless", async () => {
    const sql = "SELECT task_id, title FROM desired_state WHERE task_id IN ('t', 'x')";
    const lines = await runLine(["query", sql], aRun());
    expect(lines).toMatchObject({ code: 0, stdout: 't\tt\nx\ta "b", c\n', stderr: "" });
    const csv = await runLine(["query", sql, "--csv"], aRun());
    expect(csv.stdout).toBe('task_id,title\nt,t\nx,"a ""b"",\nc"\n');
    const json = JSON.parse((await runLine(["query", sql, "--json"], aRun())).stdout);
    expect(json).toMatchObject({
      schema_version: 1,
      data: { columns: ["task_id", "title"], rows: [{ task_id: "t" }, { task_id: "x" }] },
    });
    const terminal = await runLine(["query", sql], { ...aRun(), terminal: true });
    expect(terminal.stdout).toContain("task_id");
    expect(terminal.stdout).not.toContain("\u001b[31m");
  });

  it("takes the question unquoted, and from stdin", async () => {
    const sql = ["SELECT", "actual_status", "FROM", "actual_state", "WHERE", "task_id='t'"];
    expect((await runLine(["query", ...sql], aRun())).stdout).toBe("running\n");
    const piped = await runLine(["query", "-"], { ...aRun(), stdin: sql.join("\n") });
    expect(piped.stdout).toBe("running\n");
  });

  it("names columns apart that have one name, and shows a blob as SQL would", async () => {
    const { stdout } = await runLine(
      ["query", "SELECT 1 a, 2 a, x'00ff' b, NULL c", "--json"],
      aRun(),
    );
    expect(JSON.parse(stdout).data.rows).toEqual([{ a: 1, a_2: 2, b: "x'00ff'", c: null }]);
  });

  it("says so on stderr when no row answers, and prints a heading only under --csv", async () => {
    const none = ["query", "SELECT task_id FROM questions"];
    expect(await runLine(none, aRun())).toMatchObject({ code: 0, stdout: "", stderr: "no rows\n" });
    expect((await runLine([...none, "--csv"], aRun())).stdout).toBe("task_id\n");
    expect(JSON.parse((await runLine([...none, "--json"], aRun())).stdout).data.rows).toEqual([]);
  });

  it.each([
    ["SELECT * FROM tasks", "no such table: tasks"],
    ["INSERT INTO agents VALUES (1, 2, 3, 4)", "only read"],
    ["DROP TABLE events", "only read"],
    ["SELECT 1; SELECT 2", "more than one statement"],
    ["  ", "no SQL"],
    ["", "no SQL"],
  ])("refuses %j with SQLite's words, the tables, and exit 2", async (sql, words) => {
    const { code, stdout, stderr } = await runLine(["query", sql], aRun());
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(words);
    expect(stderr).toContain("fractal query   # lists the tables");
    if (sql.trim() !== "")
      for (const name of Object.keys(INDEX_TABLES)) expect(stderr).toContain(name);
  });

  it("lists tables and columns when nothing is asked, also where there is no run", async () => {
    const { code, stdout } = await runLine(["query"]);
    expect(code).toBe(0);
    expect(stdout).toContain("desired_state\tdependencies\tTEXT\t");
    const asData = JSON.parse((await runLine(["query", "--json"])).stdout);
    expect(asData.data.tables.map((table: { name: string }) => table.name)).toEqual(
      Object.keys(INDEX_TABLES),
    );
  });

  it("has the three tables of want and have, with the columns they are known by", async () => {
    const has = async (table: string, columns: string) =>
      expect((await runLine(["query", `SELECT ${columns} FROM ${table}`], aRun())).code).toBe(0);
    await has("desired_state", "task_id, desired_status, dependencies, priority");
    await has(
      "actual_state",
      "task_id, actual_status, assigned_agent, last_attempt, failure_count, last_error",
    );
    await has("agents", "agent_id, status, current_task, capabilities");
  });

  it.each(["query", "status", "graph"])(
    "%s says that there is no run yet, and how to get one",
    async (name) => {
      const line =
        { query: ["query", "SELECT 1"], status: ["status"], graph: ["graph", "--of", "tasks"] }[
          name
        ] ?? [];
      const { code, stderr } = await runLine(line);
      expect(code).toBe(2);
      expect(stderr).toContain("no run here yet");
      expect(stderr).toContain("fractal run spec.md");
    },
  );

  it("is asked for one form at a time", async () => {
    expect((await runLine(["query", "SELECT 1", "--csv", "--json"], aRun())).code).toBe(2);
  });
});

describe("fractal status", () => {
  it("is the query it says it is, row for row", async () => {
    const rows = JSON.parse((await runLine(["status", "--json"], aRun())).stdout).data.rows;
    const { stdout: sql } = await runLine(["status", "--sql"]);
    expect(sql.trim()).toBe(STATUS_SQL);
    const asked = await runLine(["query", "-", "--json"], { ...aRun(), stdin: sql });
    expect(JSON.parse(asked.stdout).data.rows).toEqual(rows);
    const lines = (await runLine(["query", "-"], { ...aRun(), stdin: sql })).stdout;
    expect((await runLine(["status"], aRun())).stdout).toBe(lines);
    expect(rows).toMatchObject([
      { task_id: "root", wanted: "done", actual: "split", why: "3 of 3 children are not settled" },
      { task_id: "d", wanted: "done", actual: "queued", why: "a worker's attempt is due" },
      {
        task_id: "t",
        wanted: "done",
        actual: "running",
        agent: "fractal/worker/here/1/t",
        attempts: 2,
        failures: 1,
        why: "worker at work, attempt 2",
        last_error: "red",
      },
      { task_id: "x", actual: "queued" },
    ]);
  });

  it("is a table at a terminal, no line wider than it, with a line that sums up", async () => {
    const { stdout, stderr } = await runLine(["status"], { ...aRun(), terminal: true, live: true });
    const lines = stdout.trimEnd().split("\n");
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(100);
    expect(lines).toHaveLength(5);
    expect(stderr).toContain("0 of 4 tasks as wanted: 2 queued, 1 running, 1 split");
    expect(stderr).toContain("is running now");
  });

  it("tells a run that was cut off from one that stopped", async () => {
    expect((await runLine(["status"], aRun())).stderr).toContain(
      "was cut off; go on with: fractal resume r",
    );
    const run = aRun();
    run.state.stopped = { reason: "1 open question", exitCode: 3 };
    expect((await runLine(["status"], run)).stderr).toContain("stopped: 1 open question (exit 3)");
  });
});

describe("fractal graph", () => {
  it("draws the table of moves without a run, and the tasks of the run that is named", async () => {
    expect((await runLine(["graph"])).stdout).toContain("flowchart LR");
    expect((await runLine(["graph", "--format", "dot"])).stdout).toMatch(/^digraph /);
    expect((await runLine(["graph", "r"], aRun())).stdout).toContain("wave 1");
    expect((await runLine(["graph", "--of", "tasks", "--format", "dot"], aRun())).stdout).toContain(
      "cluster_0",
    );
  });

  it("prints the same data under --json and --format json, in the envelope of all commands", async () => {
    for (const of of ["moves", "tasks"]) {
      const a = await runLine(["graph", "--of", of, "--json"], aRun());
      const b = await runLine(["graph", "--of", of, "--format", "json"], aRun());
      expect(a.stdout).toBe(b.stdout);
      expect(JSON.parse(a.stdout)).toHaveProperty("schema_version", 1);
    }
  });

  it.each([
    [["graph", "--format", "png"], "mermaid, dot, json"],
    [["graph", "--of", "people"], "moves, tasks"],
    [["graph", "r", "--of", "moves"], "same for every run"],
  ])("refuses %j with what there is instead", async (line, words) => {
    const { code, stderr } = await runLine(line, aRun());
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});
