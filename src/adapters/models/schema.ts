/** Fits a JSON Schema to what a provider's structured output can enforce. */

/** The keywords looked at here; a schema may have any others. */
interface Node {
  $ref?: unknown;
  enum?: unknown;
  const?: unknown;
  anyOf?: unknown;
  oneOf?: unknown;
  allOf?: unknown;
  type?: unknown;
  items?: unknown;
  properties?: unknown;
  required?: unknown;
  additionalProperties?: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * True when the schema can be held to word by word: every value has a type and every object lists
 * its keys. Free-form values and records cannot; a provider would turn them into empty objects.
 */
export function isEnforceable(schema: unknown): boolean {
  if (!isNode(schema)) return false;
  if (typeof schema.$ref === "string" || schema.enum !== undefined || "const" in schema)
    return true;
  const either = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (Array.isArray(either)) return either.every(isEnforceable);
  if (schema.type === "array") return isEnforceable(schema.items);
  if (schema.type !== "object") return typeof schema.type === "string";
  const others = schema.additionalProperties;
  if (isNode(others) || others === true || !isNode(schema.properties)) return false;
  return Object.values(schema.properties).every(isEnforceable);
}

/** True when every object requires all of its keys, as OpenAI's strict mode demands. */
export function isAllRequired(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isAllRequired);
  if (!isNode(schema)) return true;
  const keys = isNode(schema.properties) ? Object.keys(schema.properties) : [];
  const required: unknown[] = Array.isArray(schema.required) ? schema.required : [];
  return keys.every((key) => required.includes(key)) && Object.values(schema).every(isAllRequired);
}

const UNSUPPORTED = new Set(["minLength", "maxLength", "default", "propertyNames", "format"]);

/** The schema without the keywords OpenAI's strict mode refuses; our own parse checks them anyway. */
export function withoutBounds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutBounds);
  if (!isNode(schema)) return schema;
  // A property may bear a keyword's name; its value is a schema then, and stays.
  const kept = Object.entries(schema).filter(
    ([key, value]) => !UNSUPPORTED.has(key) || isNode(value),
  );
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutBounds(value)]));
}
