/** The tables of `.fractal/index.db`: a journal laid out for questions in SQL. Derived, never read to decide. */

/** What SQLite keeps in one place. Instants are ISO 8601 text, lists are JSON arrays, true is 1. */
export type Cell = string | number | null;

interface TableShape {
  /** What one row is. */
  row: string;
  /** Type and meaning of each column; the first one or two are the key. */
  columns: { readonly [name: string]: readonly [type: string, says: string] };
}

/** Every table a question may be asked of. Those under `history` only grow. */
export const INDEX_TABLES = {
  desired_state: {
    row: "what is wanted of one task: the tree in Beads as last followed, and what a person decided",
    columns: {
      task_id: ["TEXT PRIMARY KEY", "its id, as in Beads"],
      desired_status: ["TEXT", "done, unless a person said paused, accepted or cancelled"],
      dependencies: ["TEXT", "ids it waits for itself; those of its ancestors hold as well"],
      priority: ["INTEGER", "0 first, to 4"],
      title: ["TEXT", ""],
      parent: ["TEXT", "null for the root"],
      position: ["INTEGER", "its place in the tree, depth first, from 0"],
      shape: ["TEXT", "unplanned, leaf or split"],
      kind: ["TEXT", "code, text or command"],
      size: ["TEXT", "XS to XL"],
      requirements: ["TEXT", "ids of the requirements it alone owns"],
    },
  },
  actual_state: {
    row: "where one task stands",
    columns: {
      task_id: ["TEXT PRIMARY KEY", ""],
      actual_status: ["TEXT", "its status, see moves.md"],
      assigned_agent: ["TEXT", "who holds its lease, or who outside fractal took it"],
      last_attempt: ["TEXT", "when its newest attempt began"],
      failure_count: ["INTEGER", "attempts that were rejected, blocked or failed"],
      last_error: ["TEXT", "why the last of them was"],
      attempts: ["INTEGER", "attempts of all roles"],
      attempts_left: ["INTEGER", "of the worker, before the next rung"],
      why: ["TEXT", "in a few words why it is not yet as wanted; null when it is"],
      not_before: ["TEXT", "not to be tried again before"],
      colour: ["TEXT", "dim, yellow, red or green"],
      unchecked: ["INTEGER", "done without a gating check"],
      question: ["TEXT", "the open question it depends on"],
      cost_usd: ["REAL", "of all its attempts; null when a price is unknown"],
      commit_id: ["TEXT", "the commit on the run's branch that holds its work"],
    },
  },
  agents: {
    row: "one holder of a lease, a role at rest, or somebody outside fractal who took a task",
    columns: {
      agent_id: ["TEXT", "as Beads shows the assignee; fractal/<role> for a role at rest"],
      status: ["TEXT", "working, idle or outside"],
      current_task: ["TEXT", ""],
      capabilities: ["TEXT", "a JSON object: role, model"],
    },
  },
  execution_graphs: {
    row: "one task as a node of the graph of what waits for what",
    columns: {
      task_id: ["TEXT PRIMARY KEY", ""],
      state: ["TEXT", "its status"],
      wave: [
        "INTEGER",
        "from 1: after everything it waits for; a parent's is that of its last child",
      ],
      parent: ["TEXT", ""],
      edges: ["TEXT", "ids it waits for"],
    },
  },
  attempts: {
    row: "one attempt: a lease of a task by a role",
    columns: {
      task_id: ["TEXT", ""],
      attempt: ["INTEGER", "from 1"],
      role: ["TEXT", ""],
      model: ["TEXT", ""],
      episode: ["INTEGER", ""],
      started: ["TEXT", ""],
      ended: ["TEXT", "null while it is open: running, or cut off"],
      worked_ms: ["REAL", "somebody was at work on it, over all leases that ended"],
      outcome: ["TEXT", "succeeded, rejected, blocked, failed or cancelled"],
      failure: ["TEXT", "the kind of failure"],
      detail: ["TEXT", "the failure in words"],
      calls: ["INTEGER", "model calls"],
      input_tokens: ["INTEGER", ""],
      output_tokens: ["INTEGER", ""],
      cost_usd: ["REAL", "null when the price is unknown"],
      kept: ["TEXT", "the commit that keeps its files"],
      summary: ["TEXT", ""],
    },
  },
  questions: {
    row: "one question to a person",
    columns: {
      question_id: ["TEXT PRIMARY KEY", ""],
      task_id: ["TEXT", "what it is about; null for the run"],
      kind: ["TEXT", ""],
      state: ["TEXT", "open, answered, dismissed or moot"],
      title: ["TEXT", ""],
      opened: ["TEXT", ""],
      by: ["TEXT", "who answered or closed it"],
      answer: ["TEXT", ""],
    },
  },
  orchestrator_executions: {
    row: "one controller process",
    columns: {
      execution: ["INTEGER PRIMARY KEY", "from 1"],
      started: ["TEXT", ""],
      ended: ["TEXT", "null while it is the last; of a killed one its last sign of life"],
      pid: ["INTEGER", "null where the journal does not have it"],
      decisions: ["INTEGER", "passes that decided something new"],
      exit: ["INTEGER", "its exit code; null when it was killed or still works"],
      reason: ["TEXT", "why it stopped"],
    },
  },
  work_detection_cache: {
    row: "one finding of work for a role, or that there is none any more",
    columns: {
      seq: ["INTEGER", "of its event"],
      role: [
        "TEXT",
        "planner, worker, router, fixer, reviewer, human, or code for what needs none",
      ],
      urgency: ["INTEGER", "0 to 10"],
      count: ["INTEGER", "pieces of work; 0 when there is none any more"],
      why: ["TEXT", ""],
      at: ["TEXT", ""],
    },
  },
  model_calls: {
    row: "one call of a model",
    columns: {
      seq: ["INTEGER PRIMARY KEY", "of its first event"],
      task_id: ["TEXT", ""],
      attempt: ["INTEGER", ""],
      turn: ["TEXT", "the turn, or the name of the planner's question"],
      role: ["TEXT", ""],
      model: ["TEXT", ""],
      started: ["TEXT", ""],
      ended: ["TEXT", "null while it is open, or was cut off"],
      duration_ms: ["REAL", ""],
      input_tokens: ["INTEGER", ""],
      output_tokens: ["INTEGER", ""],
      cache_read_tokens: ["INTEGER", ""],
      cache_write_tokens: ["INTEGER", ""],
      cost_usd: ["REAL", "null when the price is unknown"],
      reserved_usd: ["REAL", "the worst it could have come to, held back until it ended"],
      outcome: ["TEXT", "why the answer ended, or the kind of failure"],
      answered_by: ["TEXT", "the model's own name as the provider reports it"],
      request: ["TEXT", "hash of the stored request"],
      reply: ["TEXT", "hash of the stored answer"],
    },
  },
  checks: {
    row: "one result of a check, in an attempt or a roll-up",
    columns: {
      seq: ["INTEGER", "of its event"],
      task_id: ["TEXT", ""],
      attempt: ["INTEGER", "null of a roll-up"],
      name: ["TEXT", ""],
      passed: ["INTEGER", ""],
      gates: ["INTEGER", "0: it only advises"],
      exit_code: ["INTEGER", ""],
      duration_ms: ["REAL", ""],
      detail: ["TEXT", "the failing case"],
    },
  },
  events: {
    row: "one line of the journal",
    columns: {
      seq: ["INTEGER PRIMARY KEY", "from 0"],
      type: ["TEXT", ""],
      task: ["TEXT", "null where it is about the run"],
      time: ["TEXT", ""],
      actor: ["TEXT", "fractal, a role, or a person"],
      json: ["TEXT", "the whole line; its fields by json ->> '$.field'"],
    },
  },
} as const satisfies { readonly [name: string]: TableShape };

export type IndexTable = keyof typeof INDEX_TABLES;

/** One row of a table. */
export type RowOf<T extends IndexTable> = {
  [Column in keyof (typeof INDEX_TABLES)[T]["columns"]]: Cell;
};

/** The tables that show how things stand: rewritten whole, from the state. The others only grow. */
export const CURRENT_TABLES = [
  "desired_state",
  "actual_state",
  "agents",
  "execution_graphs",
  "attempts",
  "questions",
] as const satisfies readonly IndexTable[];

/** How things stand, as rows. */
export type CurrentRows = { [T in (typeof CURRENT_TABLES)[number]]: RowOf<T>[] };

/** One answer to a question in SQL: the columns in order, and each row in that order. */
export interface Answer {
  columns: string[];
  rows: unknown[][];
}
