// The types that users see, under every TypeScript that the package promises to work with: the
// declarations in lib/, each TypeScript block of README.md and docs/, and the programs of
// test/types/. The latter also in CommonJS projects, by both ways to find declarations.
//
//   node scripts/types-test.mjs [--typescript=5.4]
//
// The compilers are installed once, into build/typescript/. They are no devDependencies, because
// each weighs 20 MB and nothing else needs them.

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { blocksOf, documents } from './blocks.mjs';
import {
  die,
  filesUnder,
  hashOf,
  isDone,
  isMain,
  knowOnly,
  markDone,
  mustRun,
  option,
  root,
  run,
  Tally,
} from './common.mjs';

/**
 * The oldest version, the newest one, and those between them in which a type that we use has
 * changed.
 */
const typescripts = ['5.4.5', '5.5.4', '5.6.3', '5.7.3', '5.9.3', '6.0.3', '7.0.2'];
/** This release still has the types of Node 20 for TypeScript 5.4. */
const typesOfNode = '20.19.43';

const compilers = 'build/typescript';
const alias = (version) => `typescript-${version}`;

async function install() {
  const manifest = {
    private: true,
    dependencies: {
      '@types/node': typesOfNode,
      ...Object.fromEntries(
        typescripts.map((version) => [alias(version), `npm:typescript@${version}`]),
      ),
    },
  };
  const stamp = `${compilers}/installed`;
  const hash = hashOf([], manifest);
  if (isDone(stamp, hash, `${compilers}/node_modules`)) return;
  const directory = path.join(root, compilers);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'package.json'), JSON.stringify(manifest));
  await mustRun('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: directory,
    timeoutMs: 10 * 60_000,
  });
  markDone(stamp, hash);
}

/** The options of a user who checks everything, even the declarations of packages. */
const compilerOptions = {
  target: 'es2022',
  lib: ['es2022', 'esnext.disposable'],
  module: 'nodenext',
  moduleDetection: 'force',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
};

/** Options in which projects differ, and the TypeScripts that know these options. */
const projects = {
  'ES modules': { type: 'module' },
  CommonJS: { type: 'commonjs', module: 'node16' },
  'CommonJS by node10': {
    type: 'commonjs',
    module: 'commonjs',
    moduleResolution: 'node10',
    before: 6,
  },
};

/** A user's project: the package as it is published, and the files of the project. */
function makeProject(name, files, { type, before: _, ...options } = projects['ES modules']) {
  const project = path.join(root, compilers, 'projects', name);
  rmSync(project, { recursive: true, force: true });
  const write = (file, text) => {
    const target = path.join(project, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  };
  const config = { compilerOptions: { ...compilerOptions, ...options }, include: ['program'] };
  write('package.json', JSON.stringify({ private: true, type }));
  write('tsconfig.json', JSON.stringify(config));
  for (const [file, text] of Object.entries(files)) write(`program/${file}`, text);
  const installed = path.join(project, 'node_modules/holdfast');
  const published = filesUnder('lib').filter((file) => /\.d\.m?ts$/.test(file));
  for (const file of [...published, 'package.json', 'lib/package.json']) {
    cpSync(path.join(root, file), path.join(installed, file));
  }
  return project;
}

function programs() {
  const files = {};
  for (const document of documents) {
    for (const { line, language, code } of blocksOf(document)) {
      if (!language.startsWith('ts')) continue;
      // The lines above it are empty, so that the compiler names the line in the document.
      files[`${document}/block-at-${line}.ts`] = '\n'.repeat(line) + code;
    }
  }
  return files;
}

function compile(typescript, project) {
  const compiler = path.join(root, compilers, 'node_modules', alias(typescript), 'bin/tsc');
  return run(process.execPath, [compiler, '--pretty', 'false', '-p', project], {
    cwd: project,
    capture: true,
    timeoutMs: 5 * 60_000,
  });
}

async function mustCompile(typescript, project) {
  const { code } = await compile(typescript, project);
  if (code !== 0) throw new Error(`TypeScript ${typescript} refuses it (exit code ${code})`);
}

/** Proves that the check can fail. */
async function mustRefuse(typescript) {
  const text = `import { Lock } from 'holdfast';\nnew Lock({ name: 1 });\n`;
  const { code, output } = await compile(typescript, makeProject('broken', { 'broken.ts': text }));
  if (code === 0 || !/broken\.ts\(2,\d+\): error TS2322/.test(output)) {
    throw new Error(`TypeScript ${typescript} accepts a name that is a number`);
  }
}

/** Adds a check for each TypeScript to the tally. `only` is how the wanted versions begin. */
export async function testTypes(tally, only = '') {
  await tally.check('the TypeScripts are installed', install);
  const blocks = programs();
  console.log(`${Object.keys(blocks).length} blocks`);
  const tests = Object.fromEntries(
    filesUnder('test/types').map((file) => [file, readFileSync(path.join(root, file), 'utf8')]),
  );
  const wanted = typescripts.filter((version) => version.startsWith(only));
  for (const [name, options] of Object.entries(projects)) {
    // The blocks of the documents are ES modules.
    const files = options.type === 'module' ? { ...blocks, ...tests } : tests;
    const project = makeProject(name.replaceAll(' ', '-'), files, options);
    for (const typescript of wanted) {
      if (parseInt(typescript) >= (options.before ?? Infinity)) continue;
      await tally.check(`types under TypeScript ${typescript}: ${name}`, () =>
        mustCompile(typescript, project),
      );
    }
  }
  await tally.check('a broken program is refused', () => mustRefuse(wanted.at(-1)));
}

if (isMain(import.meta)) {
  knowOnly('typescript');
  if (!existsSync(path.join(root, 'lib'))) die('lib/ is missing: npm run build');
  const tally = new Tally();
  await testTypes(tally, option('typescript'));
  tally.finish();
}
