/** Which files name the packages that an install fetches, and whether a change of one changes them. */
import {
  addresses,
  elements,
  json,
  jsonBy,
  lines,
  only,
  type Reader,
  toml,
  whole,
  without,
  words,
  yaml,
} from "./manifest-readers.ts";
import { isUnder } from "./path-pattern.ts";

/** By the names of the files, in any folder. */
interface Manifest {
  names: readonly string[];
  read: Reader;
}

/** Longer ones are not read. */
const TEXT_CHARS_MAX = 200_000;

/** Hidden from an eye, or the end of a line to one program and none to another. */
const UNSEEN = /(?![\t\n]|\r\n)[\p{Cc}\p{Cf}\u2028\u2029\uFFFD]/u;

/** What a package says of itself, in any language: nothing of it is fetched or run. */
const ABOUT = [
  ...["name", "version", "description", "summary", "keywords", "categories", "topics", "type"],
  ...["license", "licenses", "license-files", "author", "authors", "maintainers", "homepage"],
  ...["repository", "documentation", "readme", "support", "funding", "private", "$schema"],
];

/** A script of these names runs by itself when somebody installs. */
const BY_ITSELF = [
  ...["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"],
  ...["prepublish", "dependencies"],
];
/** What says which code of others npm, pnpm, yarn or bun installs, and by which program. */
const NODE = [
  ...["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"],
  ...["bundleDependencies", "bundledDependencies", "overrides", "resolutions", "pnpm"],
  ...["workspaces", "catalog", "catalogs", "patchedDependencies", "trustedDependencies"],
  ...["packageManager", "devEngines", "volta"],
];
const DENO = [
  ...[...ABOUT, "exports", "tasks", "fmt", "test", "bench", "exclude", "include", "publish"],
  ...["nodeModulesDir", "unstable", "lock"],
];
const VCPKG = [...ABOUT, "version-string", "version-semver", "version-date", "port-version"];

const PYTHON = [
  ...ABOUT.map((key) => `project.${key}`),
  ...["project.requires-python", "project.classifiers", "project.urls", "project.scripts"],
  ...["project.gui-scripts", "tool.black", "tool.ruff", "tool.isort", "tool.mypy", "tool.pytest"],
  ...["tool.coverage", "tool.pyright", "tool.basedpyright", "tool.pylint"],
  ...["packages", "package-dir", "package-data", "py-modules"].map(
    (key) => `tool.setuptools.${key}`,
  ),
];
const RUST = [
  ...ABOUT.map((key) => `package.${key}`),
  ...["edition", "rust-version", "publish", "default-run", "include", "exclude", "metadata"].map(
    (key) => `package.${key}`,
  ),
  ...["lib", "bin", "example", "test", "bench", "features", "profile", "lints", "badges"],
];

const MAVEN = [
  ...["project", "modelVersion", "groupId", "artifactId", "version", "packaging", "name"],
  ...["description", "url", "inceptionYear", "licenses", "license", "properties"],
  ...["project.build.sourceEncoding", "maven.compiler.source", "maven.compiler.target"],
  ...["maven.compiler.release"],
];
const DOTNET = [
  ...["Project", "PropertyGroup", "ItemGroup", "TargetFramework", "TargetFrameworks", "OutputType"],
  ...["Nullable", "ImplicitUsings", "LangVersion", "RootNamespace", "AssemblyName", "Version"],
  ...["Authors", "Company", "Product", "Description", "Copyright", "IsPackable", "IsTestProject"],
  ...["TreatWarningsAsErrors", "NoWarn", "GenerateDocumentationFile", "Compile", "Content", "None"],
  ...["EmbeddedResource", "Folder", "Using", "ProjectReference", "InternalsVisibleTo"],
];

/** Texts and lists of texts as Ruby and Python write them, with nothing inside that is worked out. */
const TEXT = String.raw`(?:"[^"\\#]*"|'[^'\\#]*')`;
const TEXTS = String.raw`(?:${TEXT}|\[(?:${TEXT}(?:, ?${TEXT})*)?\]|%w\[[\w .@/-]*\]|[A-Z]\w*(?:::[A-Z]\w*)*)`;
const GEMFILE = /^(?:source ["']https:\/\/rubygems\.org\/?["']|ruby ["'][\d.~>= ]+["'])$/;
const GEMSPEC = new RegExp(
  String.raw`^(?:Gem::Specification\.new do \|\w+\||end|require_relative ["'][\w./-]+["']|\w+\.(?:name|version|authors?|email|summary|description|homepage|licenses?|require_paths|bindir|executables|required_ruby_version|files|metadata\["\w+"\]) ?= ?(?:${TEXTS}|Dir\[${TEXT}(?:, ?${TEXT})*\]))$`,
);
const SETUP_PY = new RegExp(
  String.raw`^(?:from setuptools import [\w, ]+|import setuptools|(?:setuptools\.)?setup\(|(?:name|version|author|author_email|description|long_description|url|license|python_requires|packages|py_modules|classifiers|keywords)=(?:${TEXTS}|(?:setuptools\.)?find_packages\(\)),?|\))$`,
);

/**
 * Files that also say how the project is built and tested. Where the part that names packages can be
 * told from the rest it is read; a program counts with all it says, as only running it would tell.
 */
const PROJECTS: readonly Manifest[] = [
  { names: ["package.json"], read: jsonBy(nodePackages) },
  { names: ["composer.json"], read: jsonBy(phpPackages) },
  { names: ["deno.json*", "jsr.json"], read: addresses(DENO) },
  { names: ["pyproject.toml"], read: toml(PYTHON) },
  { names: ["Cargo.toml"], read: toml(RUST) },
  {
    names: ["setup.cfg"],
    read: words(
      /requires?\b|dependenc|_links|index[_-]url|easy_install|cmdclass|command_packages/i,
      /python[_-]requires/gi,
    ),
  },
  { names: ["setup.py"], read: lines("#", SETUP_PY) },
  { names: ["*.gemspec"], read: lines("#", GEMSPEC) },
  { names: ["go.mod", "go.work"], read: lines("//", /^(?:module|go) [\w./~-]+$/) },
  { names: ["pom.xml"], read: elements(MAVEN) },
  {
    names: ["*.csproj", "*.fsproj", "*.vbproj", "Directory.*.props"],
    read: elements(DOTNET, isPlainDotnet),
  },
  { names: ["pubspec.yaml"], read: yaml([...ABOUT, "environment", "publish_to", "executables"]) },
  { names: ["shard.yml"], read: yaml([...ABOUT, "crystal", "targets", "executables"]) },
  {
    names: [
      ...[
        "*.gradle",
        "*.gradle.kts",
        "*.sbt",
        "deps.edn",
        "project.clj",
        "mix.exs",
        "rebar.config",
      ],
      ...["Package.swift", "*.podspec", "conanfile.py", "*.cabal", "cabal.project", "stack.yaml"],
      ...["*.opam", "dune-project", "build.zig.zon", "*.nimble", "*.rockspec", "flake.nix"],
      ...["MODULE.bazel", "*.vcxproj", "Directory.*.targets", "ivy.xml", "pixi.toml"],
      // What a build or an install runs by itself.
      ...["build.rs", "binding.gyp"],
    ],
    read: whole,
  },
];

/** Files that say which packages are wanted, and nothing else. */
const LISTS: readonly Manifest[] = [
  {
    names: [
      ...["requirements*", "*-requirements", "*_requirements", "constraints*"].flatMap((name) => [
        `${name}.txt`,
        `${name}.in`,
      ]),
      ...["requirements/*.txt", "requirements/*.in", "cpanfile", "Cartfile", "Podfile"],
      ...["paket.dependencies", "packages.config", "conanfile.txt"],
    ],
    read: lines("#"),
  },
  { names: ["Gemfile", "gems.rb"], read: lines("#", GEMFILE) },
  { names: ["Pipfile"], read: toml(["requires", "scripts"]) },
  { names: ["libs.versions.toml"], read: toml([]) },
  { names: ["environment.yml", "environment.yaml"], read: yaml(["name"]) },
  { names: ["import_map.json", "import-map.json", "importmap.json"], read: addresses([]) },
  { names: ["vcpkg.json"], read: json(VCPKG) },
  { names: ["bower.json"], read: json([...ABOUT, "main", "ignore"]) },
  { names: ["elm.json"], read: json([...ABOUT, "source-directories", "elm-version"]) },
];

const pathsOf = (manifests: readonly Manifest[]) =>
  manifests.flatMap(({ names }) => names.map((name) => `**/${name}`));
const LIST_PATHS = pathsOf(LISTS);

/** Files in which packages are named that somebody's install fetches, whatever the language. */
export const MANIFEST_PATHS: readonly string[] = [...pathsOf(PROJECTS), ...LIST_PATHS];

/** True for a list of packages: what it names is fetched, but it neither judges nor configures. */
export function isPackageList(path: string): boolean {
  return isUnder(path, LIST_PATHS);
}

/**
 * Whether a change of a manifest changes which code of others is fetched, from where, or what runs
 * by itself then; also where that cannot be told. A text is empty where there is no file, and
 * undefined where the file is no text.
 */
export function changesPackages(
  path: string,
  before: string | undefined,
  after: string | undefined,
): boolean {
  const manifest = [...PROJECTS, ...LISTS].find((one) => isUnder(path, pathsOf([one])));
  if (manifest === undefined) return false;
  const [had, has] = [before, after].map((text) => {
    if (text === undefined || text.length > TEXT_CHARS_MAX || UNSEEN.test(text)) return undefined;
    return text.trim() === "" ? "" : manifest.read(text.replaceAll("\r\n", "\n"));
  });
  return had === undefined || has === undefined || had !== has;
}

function nodePackages(settings: Readonly<Record<string, unknown>>) {
  const scripts = (settings["scripts"] ?? {}) as Readonly<Record<string, unknown>>;
  const running = only(scripts, BY_ITSELF);
  return { ...only(settings, NODE), ...only({ scripts: running }, ["scripts"]) };
}

/** A version of PHP itself, or of what it is built with, is no package. */
function phpPackages(settings: Readonly<Record<string, unknown>>) {
  const left = without(settings, [...ABOUT, "autoload", "autoload-dev"]);
  const wanted = ["require", "require-dev"].map((key) => {
    const names = Object.entries((left[key] ?? {}) as Readonly<Record<string, unknown>>);
    return [key, Object.fromEntries(names.filter(([name]) => !/^(?:php|ext-\w+)$/.test(name)))];
  });
  return without({ ...left, ...Object.fromEntries(wanted) }, []);
}

/** From Microsoft's own kit, and with no value that is worked out by code. */
function isPlainDotnet(text: string): boolean {
  const kits = [...text.matchAll(/\bsdk\s*=\s*(\S*)/gi)].map(([, kit = ""]) => kit);
  const isUsual = (kit: string) => /^"Microsoft\.NET\.Sdk(?:\.(?:Web|Worker|Razor))?">?$/.test(kit);
  return kits.every(isUsual) && !text.includes("$([");
}
