/** Where a run's money and tokens went, and what is left of its budgets: as tables and as data. */
import {
  type Account,
  type BudgetOf,
  type BudgetScope,
  type Charge,
  UNITS,
  type Unit,
} from "../domain/budget.ts";
import type { RunState } from "../domain/run-state.ts";
import { renderBudgetOf } from "../rules/money/budget-text.ts";
import { addCharge, chargeOf, committedOf, limitsOf, totalOf } from "../rules/money/ledger.ts";
import { ancestorsOf } from "../rules/status.ts";
import { amountText, costText, number } from "./money.ts";
import { renderTable } from "./table.ts";

/** What a row of the table stands for. */
export type CostBy = "role" | "model" | "task" | "level";

interface CostRow {
  name: string;
  title?: string;
  /** What answered calls cost. */
  spent: Charge;
  /** The worst of calls under way, and of those whose outcome is never known. */
  reserved: Charge;
}

const NOTHING: Charge = { usd: 0, tokens: 0, calls: 0 };

/** The rows, in the order of the tree where they are tasks, else the dearest first; and their sum. */
function costRows(state: RunState, by: CostBy): { rows: CostRow[]; total: CostRow } {
  const rows = new Map<string, CostRow>();
  const total: CostRow = { name: "all", spent: NOTHING, reserved: NOTHING };
  const add = (row: CostRow, spent: Charge, reserved: Charge) => {
    row.spent = addCharge(row.spent, spent);
    row.reserved = addCharge(row.reserved, reserved);
  };
  const book = (of: Pick<Account, "task" | "role" | "model">, spent: Charge, reserved: Charge) => {
    add(total, spent, reserved);
    for (const name of namesOf(state, of, by)) {
      const row = rows.get(name) ?? { name, spent: NOTHING, reserved: NOTHING };
      rows.set(name, row);
      add(row, spent, reserved);
    }
  };
  for (const account of state.ledger.accounts.values()) {
    book(account, chargeOf(account), account.held);
  }
  for (const call of state.ledger.open.values()) book(call, NOTHING, call);
  if (by === "task") {
    const ordered = inTreeOrder(state).flatMap((id) => {
      const row = rows.get(id);
      const title = state.tasks.get(id)?.contract.title ?? "";
      return row === undefined ? [] : [{ ...row, title }];
    });
    return { rows: ordered, total };
  }
  const sorted = [...rows.values()].sort(by === "level" ? byName : bySize);
  return { rows: sorted, total };
}

const byName = (a: CostRow, b: CostRow) => a.name.localeCompare(b.name, "en", { numeric: true });
const bySize = (a: CostRow, b: CostRow) =>
  (b.spent.usd ?? 0) - (a.spent.usd ?? 0) || b.spent.tokens - a.spent.tokens || byName(a, b);

/** The rows a call counts in: of a task, those of all above it too. */
function namesOf(
  state: RunState,
  { task, role, model }: Pick<Account, "task" | "role" | "model">,
  by: CostBy,
): string[] {
  switch (by) {
    case "role":
      return [role];
    case "model":
      return [model];
    case "task":
      return [task, ...ancestorsOf(state, task).map(({ id }) => id)];
    case "level":
      return [`level ${ancestorsOf(state, task).length}`];
  }
}

function inTreeOrder(state: RunState): string[] {
  const ids: string[] = [];
  const open = [state.rootId];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    ids.push(id);
    open.push(...[...(state.tasks.get(id)?.children ?? [])].reverse());
  }
  return ids;
}

/** Its part of all: of the money, or of the tokens where a price is unknown or nothing is paid. */
function shareOf(row: CostRow, total: CostRow): number | undefined {
  const isPaid = total.spent.usd !== undefined && total.spent.usd > 0;
  const [part, whole] = isPaid
    ? [row.spent.usd, total.spent.usd]
    : [row.spent.tokens, total.spent.tokens];
  return part === undefined || whole === undefined || whole === 0
    ? undefined
    : Number((part / whole).toFixed(4));
}

interface BudgetLine extends BudgetOf {
  unit: Unit;
  limit: number;
  /** Spent and reserved; undefined where a price is unknown. */
  used: number | undefined;
}

/** Every limit in force with what counts against it. Of `task`, what each task may use has no sum. */
function budgetLines(state: RunState, now: number): BudgetLine[] {
  return [...state.ledger.limits.keys()].flatMap((key) => {
    const [scope = "", task = null] = key.split(" ");
    const budget: BudgetOf = { scope: scope as BudgetScope, task };
    const limits = limitsOf(state.ledger, budget);
    const committed = committedOf(state, budget, now);
    const used = { ...totalOf(committed), minutes: committed.minutes };
    return UNITS.flatMap((unit) => {
      const limit = limits[unit];
      return limit === undefined ? [] : [{ ...budget, unit, limit, used: used[unit] }];
    });
  });
}

const isEach = ({ scope, task }: BudgetOf) => scope === "task" && task === null;

/** The table for people, or tab-separated rows for pipes; budgets below it. */
export function renderCost(
  state: RunState,
  by: CostBy,
  options: { tables: boolean; colour: boolean; now: number },
): string {
  const { rows, total } = costRows(state, by);
  const look = { aligned: options.tables, colour: options.colour };
  const depthOf = (id: string) => (state.tasks.has(id) ? ancestorsOf(state, id).length : 0);
  const cells = (row: CostRow, indent = 0): string[] => {
    const share = shareOf(row, total);
    return [
      `${"  ".repeat(indent)}${row.name}`,
      number(row.spent.calls),
      number(row.spent.tokens),
      moneyText(row.spent.usd),
      reservedText(row.reserved),
      share === undefined ? "" : `${Math.round(share * 100)} %`,
      ...(by === "task" ? [row.title ?? ""] : []),
    ];
  };
  const head = [by, "calls", "tokens", "spent", "reserved", "share"];
  const lines = renderTable(
    by === "task" ? [...head, "title"] : head,
    [
      ...rows.map((row) => cells(row, options.tables && by === "task" ? depthOf(row.name) : 0)),
      cells(total),
    ],
    look,
  );
  const budgets = budgetLines(state, options.now).map((line) => [
    renderBudgetOf(line),
    amountText(line.limit, line.unit),
    isEach(line) ? "" : usedText(line),
    isEach(line) || line.used === undefined
      ? ""
      : amountText(Math.max(0, line.limit - line.used), line.unit),
  ]);
  if (budgets.length === 0) return lines.join("\n");
  return [
    ...lines,
    "",
    ...renderTable(["budget of", "may use", "used", "left"], budgets, look),
  ].join("\n");
}

function moneyText(usd: number | undefined): string {
  return usd === undefined ? "unknown" : costText(usd);
}

function reservedText(reserved: Charge): string {
  return reserved.calls === 0 ? "" : `${moneyText(reserved.usd)} in ${number(reserved.calls)}`;
}

function usedText({ used, unit }: BudgetLine): string {
  return used === undefined ? "unknown" : amountText(used, unit);
}

/** Without the noise of adding decimal fractions; null where it is unknown. */
function exact(amount: number | undefined): number | null {
  return amount === undefined ? null : Number(amount.toFixed(9));
}

/** The same as data; what is unknown is null. */
export function costJson(state: RunState, by: CostBy, now: number): Record<string, unknown> {
  const { rows, total } = costRows(state, by);
  const row = (one: CostRow) => ({
    name: one.name,
    ...(one.title === undefined ? {} : { title: one.title }),
    calls: one.spent.calls,
    tokens: one.spent.tokens,
    spent_usd: exact(one.spent.usd),
    reserved_usd: exact(one.reserved.usd),
    reserved_tokens: one.reserved.tokens,
    reserved_calls: one.reserved.calls,
    share: shareOf(one, total) ?? null,
  });
  return {
    run_id: state.runId,
    by,
    rows: rows.map(row),
    total: row(total),
    budgets: budgetLines(state, now).map(({ scope, task, unit, limit, used }) => ({
      scope,
      task,
      unit,
      limit,
      used: isEach({ scope, task }) ? null : exact(used),
    })),
  };
}
