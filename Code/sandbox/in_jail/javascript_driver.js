// Runs in the jail, in front of the candidate's program: calls it as the judge outside asks, and answers.
//
// It holds no secret: the expected values never come here, so whatever a candidate does to this code, it can only answer.
// Messages are JSON behind its length in 4 bytes, little-endian. They come in on descriptor 4 and go out on 3; arguments
// come as source text. What is no plain data is equal to nothing, and goes out as ["x", what it is].
'use strict';
const fs = require('node:fs');
const vm = require('node:vm');
const [READ, WRITE, DEPTH] = [4, 3, 200];
const { stringify, parse } = JSON;
const { isArray } = Array;
const { keys } = Object;
const kindOf = Object.prototype.toString;
const owns = Object.prototype.hasOwnProperty;
const exit = process.reallyExit.bind(process);

function taken(size) {
  const data = Buffer.alloc(size);
  for (let at = 0; at < size;) {
    const count = fs.readSync(READ, data, at, size - at, null);
    if (count === 0) exit(0); // the judge is gone
    at += count;
  }
  return data;
}

function answer(message) {
  const body = Buffer.from(stringify(message));
  const data = Buffer.alloc(4 + body.length);
  data.writeUInt32LE(body.length);
  body.copy(data, 4);
  for (let at = 0; at < data.length;) at += fs.writeSync(WRITE, data, at);
}

function encoded(value, depth) {
  if (value === undefined) return ['u'];
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : ['n', `${value}`];
  if (typeof value === 'bigint') return ['i', value.toString(16)];
  const kind = typeof value === 'object' ? kindOf.call(value) : typeof value;
  if (depth > DEPTH) return ['x', 'nested too deeply'];
  if (isArray(value) && kind === '[object Array]') {
    const items = ['a'];
    let count = 0;
    for (let at = 0; at < value.length; at++) {
      const there = owns.call(value, at);
      count += there;
      items.push(there ? encoded(value[at], depth + 1) : ['x', 'a hole']);
    }
    return count === keys(value).length ? items : ['x', 'an array with properties'];
  }
  if (kind !== '[object Object]') return ['x', kind];
  return ['o', ...keys(value).map((key) => [key, encoded(value[key], depth + 1)])];
}

// what takes the types off a TypeScript program: the package at `path`, else node itself; without a path nothing does
function stripper(path) {
  if (!path) return (program) => program;
  if (!fs.existsSync(path)) return (program) => require('node:module').stripTypeScriptTypes(program, { mode: 'transform' });
  const ts = require(path);
  const compilerOptions = { target: ts.ScriptTarget.ES2020, module: ts.ModuleKind.CommonJS };
  return (program) => {
    const found = ts.transpileModule(program, { compilerOptions, reportDiagnostics: true });
    if (found.diagnostics.length) throw new SyntaxError(ts.flattenDiagnosticMessageText(found.diagnostics[0].messageText, ' '));
    return found.outputText;
  };
}

// run the program as node runs a file: [the answer, what `name` is in it]
function loaded(program, name, strip) {
  const parameters = ['exports', 'require', 'module', '__filename', '__dirname'];
  let run;
  try {
    run = vm.compileFunction(`${strip(program)}\n;return ${name};`, parameters, { filename: 'solution.js' });
  } catch (error) {
    return [['syntax', `${error}`], null];
  }
  const module = { exports: {} };
  return [['loaded'], run.call(module.exports, module.exports, require, module, '/tmp/solution.js', '/tmp')];
}

function raised(error) {
  const text = error instanceof Error ? error.stack : 'something else than an Error was thrown';
  fs.writeSync(2, `${text}\n`.slice(0, 4000));
  return ['raise', ['EPERM', 'EACCES', 'EROFS'].includes(error?.code)];
}

let candidate;
const strip = stripper(process.argv[1]);
answer(['ready']);
for (;;) {
  const [what, ...rest] = parse(taken(taken(4).readUInt32LE()));
  let said;
  try {
    if (what === 'load') [said, candidate] = loaded(...rest, strip);
    else said = ['value', encoded(candidate(...vm.runInThisContext(`[${rest[0]}]`)), 0)];
  } catch (error) {
    try {
      said = raised(error);
    } catch {
      said = ['raise', false];
    }
  }
  answer(said);
}
