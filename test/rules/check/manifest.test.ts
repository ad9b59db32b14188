/** Manifests of every language: who installs fetches nothing that nobody was asked about. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changesPackages, MANIFEST_PATHS } from "../../../src/rules/check/manifest.ts";
import { protectedBy } from "../../../src/rules/check/protected.ts";
import { tomlEntries } from "../../../src/rules/check/toml-entries.ts";

/** A new file as people write it: first without, then each with something to be asked about. */
const EXAMPLES: [path: string, without: string[], asked: string[]][] = [
  [
    "package.json",
    [
      '{\n  "name": "x",\n  "type": "module",\n  "scripts": { "test": "node --test" },\n  "dependencies": {}\n}\n',
      '{"private": true, "engines": {"node": ">=22"}}',
    ],
    [
      '{"dependencies": {"left-pad": "1"}}',
      '{"scripts": {"postinstall": "x"}}',
      '{"trustedDependencies": ["x"]}',
      '{"volta": {"node": "1"}}',
      // A key twice, or written otherwise: not every program reads the last.
      '{"dependencies": {"x": "1"}, "dependencies": {}}',
      '{"depend\\u0065ncies": {"x": "1"}}',
      "[]",
      "not JSON",
    ],
  ],
  [
    "lib/composer.json",
    [
      '{"name": "a/b", "require": {"php": ">=8.1", "ext-json": "*"}, "autoload": {"psr-4": {"A\\\\": "src/"}}}',
    ],
    [
      '{"require": {"monolog/monolog": "^3"}}',
      '{"require-dev": {"phpunit/phpunit": "^11"}}',
      '{"repositories": [{"type": "vcs", "url": "https://example.org/x"}]}',
      '{"scripts": {"post-install-cmd": "x"}}',
    ],
  ],
  [
    "deno.json",
    [
      '{"tasks": {"start": "deno run main.ts"}, "imports": {"a/": "./src/"}, "compilerOptions": {"strict": true}}',
    ],
    [
      '{"imports": {"chalk": "npm:chalk@5"}}',
      '{"imports": {"std/": "https://deno.land/std/"}}',
      '{"compilerOptions": {"jsxImportSource": "npm:preact"}}',
      '{"lint": {"plugins": ["jsr:@a/b"]}}',
      '{/* a comment */ "imports": {}}',
    ],
  ],
  [
    "pyproject.toml",
    [
      '[project]\nname = "x"\nversion = "0.1"\nrequires-python = ">=3.11"\nauthors = [\n  { name = "Una", email = "u@example.org" },\n]\n\n[project.scripts]\nx = "x:main"\n\n[tool.pytest.ini_options]\naddopts = "-q"\n\n[tool.ruff.lint]\nselect = ["E", "F"] # all\n',
      "[tool.black]\nline-length = 100\n",
    ],
    [
      '[project]\nname = "x"\ndependencies = ["requests"]\n',
      '[project]\nname = "x"\ndependencies = [\n  # the web\n  "requests>=2",\n]\n',
      '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
      '[project.optional-dependencies]\ndev = ["pytest"]\n',
      '[dependency-groups]\ndev = ["pytest"]\n',
      '[tool.poetry.dependencies]\npython = "^3.11"\nrequests = "*"\n',
      '[tool.uv.sources]\nx = { git = "https://example.org/x" }\n',
      '[tool.setuptools.dynamic]\ndependencies = { file = ["r.txt"] }\n',
      // Ways to say it so that a reader of lines would not see it.
      'project.dependencies = ["requests"]\n',
      'project = { name = "x", dependencies = ["requests"] }\n',
      '[ project ]\n"dependencies" = ["requests"]\n',
      '["project"]\n\'dependencies\' = ["requests"]\n',
      '[project]\n"depend\\u0065ncies" = ["requests"]\n',
      '[project]\ndescription = """\n[tool.black]\n"""\ndependencies = ["requests"]\n',
      '[project]\nkeywords = ["a", # [\n]\ndependencies = ["requests"]\n',
      '[project]\nname = "a#[" # "\ndependencies = ["requests"]\n',
      '[project]\nkeywords = [\n["tool"],\n]\ndependencies = ["requests"]\n',
      '[project]\nkeywords = [\ndependencies = ["requests"]\n]\n',
      '[tool.black]\r[project]\rdependencies = ["requests"]\r',
    ],
  ],
  [
    "Cargo.toml",
    [
      '[package]\nname = "x"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n',
      '[package]\nname = "x"\n\n[[bin]]\nname = "x"\npath = "src/x.rs"\n\n[profile.release]\nlto = true\n',
    ],
    [
      '[dependencies]\nserde = "1"\n',
      "[dependencies.serde]\n",
      '[dev-dependencies]\nproptest = { version = "1" }\n',
      "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n",
      '[patch.crates-io]\nx = { git = "https://example.org/x" }\n',
      '[package]\nname = "x"\nbuild = "other.rs"\n',
      '[workspace]\nmembers = ["a"]\n',
    ],
  ],
  [
    "setup.cfg",
    [
      "[metadata]\nname = x\n[options]\npackages = find:\npython_requires = >=3.9\n",
      "# install_requires = x\n[flake8]\nmax-line-length = 100\n",
    ],
    [
      "[options]\ninstall_requires =\n    requests\n",
      "[options.extras_require]\ntest = pytest\n",
      "[options]\nsetup_requires = x\npython_requires = >=3\n",
      "[easy_install]\nindex_url = https://example.org\n",
    ],
  ],
  [
    "setup.py",
    [
      'from setuptools import setup, find_packages\n\nsetup(\n    name="x",\n    version="1.0",\n    packages=find_packages(),\n)\n',
      "# nothing yet\n",
    ],
    [
      'from setuptools import setup\nsetup(\n    name="x",\n    install_requires=["requests"],\n)\n',
      'import os\nos.system("curl example.org")\n',
      'from setuptools import setup\nsetup(name="x", install_requires=["requests"])\n',
    ],
  ],
  [
    "x.gemspec",
    [
      'require_relative "lib/x/version"\n\nGem::Specification.new do |spec|\n  spec.name = "x"\n  spec.version = X::VERSION\n  spec.authors = ["Una"]\n  spec.files = Dir["lib/**/*.rb", "README.md"]\n  spec.metadata["homepage_uri"] = "https://example.org"\nend\n',
    ],
    [
      'Gem::Specification.new do |spec|\n  spec.add_dependency "rack", "~> 3"\nend\n',
      'Gem::Specification.new do |s|\n  s.summary = "#{`curl example.org`}"\nend\n',
      'Gem::Specification.new do |s|\n  s.extensions = ["ext/x/extconf.rb"]\nend\n',
    ],
  ],
  [
    "Gemfile",
    ['# frozen_string_literal: true\nsource "https://rubygems.org"\n\nruby "3.3.0"\n'],
    [
      'source "https://rubygems.org"\ngem "rails"\n',
      'source "https://gems.example.org"\n',
      "gemspec\n",
    ],
  ],
  [
    "requirements-dev.txt",
    ["", "# nothing yet\n\n"],
    [
      "requests==2.32.0\n",
      "-r other.txt\n",
      "--index-url https://example.org\n",
      "# a\frequests\n",
    ],
  ],
  ["requirements/base.in", ["# none\n"], ["requests\n"]],
  [
    "Pipfile",
    ['[packages]\n\n[requires]\npython_version = "3.12"\n'],
    ['[packages]\nrequests = "*"\n'],
  ],
  [
    "go.mod",
    ["module example.org/x\n\ngo 1.22\n", "// Package x.\nmodule x\n"],
    [
      "module x\n\nrequire example.org/y v1.0.0\n",
      "module x\n\nrequire (\n\texample.org/y v1.0.0\n)\n",
      "module x\nreplace example.org/y => ../y\n",
      "module x\ntoolchain go1.99\n",
    ],
  ],
  [
    "pom.xml",
    [
      '<?xml version="1.0"?>\n<project xmlns="http://maven.apache.org/POM/4.0.0">\n  <modelVersion>4.0.0</modelVersion>\n  <groupId>org.example</groupId>\n  <artifactId>x</artifactId>\n  <version>1</version>\n</project>\n',
    ],
    [
      "<project><dependencies><dependency><groupId>a</groupId></dependency></dependencies></project>",
      "<project><build><plugins><plugin/></plugins></build></project>",
      "<project><parent><groupId>a</groupId></parent></project>",
      '<!DOCTYPE p [<!ENTITY d "<dependencies/>">]>\n<project>&d;</project>',
      "other.xml",
    ],
  ],
  [
    "src/App.csproj",
    [
      '<Project Sdk="Microsoft.NET.Sdk">\n  <PropertyGroup>\n    <TargetFramework>net8.0</TargetFramework>\n    <Nullable>enable</Nullable>\n  </PropertyGroup>\n  <ItemGroup>\n    <ProjectReference Include="../Lib/Lib.csproj" />\n  </ItemGroup>\n</Project>\n',
    ],
    [
      '<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><PackageReference Include="x" Version="1" /></ItemGroup></Project>',
      '<Project Sdk="Evil.Sdk/1.0.0"></Project>',
      '<Project Sdk="Microsoft.NET.Sdk"><Import Project="https://example.org" /></Project>',
      '<Project Sdk="Microsoft.NET.Sdk"><Target Name="x"><Exec Command="curl" /></Target></Project>',
      '<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><Version>$([System.IO.File]::ReadAllText("x"))</Version></PropertyGroup></Project>',
    ],
  ],
  [
    "pubspec.yaml",
    ["name: x\nversion: 1.0.0\nenvironment:\n  sdk: ^3.0.0\n"],
    ["name: x\ndependencies:\n  http: ^1.0.0\n", "name: x\nname: y\n", "x.yaml"],
  ],
  [
    "shard.yml",
    ["name: x\nversion: 0.1.0\ncrystal: '>= 1.0'\n"],
    ["dependencies:\n  kemal: {github: a/b}\n"],
  ],
  ["environment.yml", ["name: x\n"], ["name: x\ndependencies: [numpy]\n"]],
  ["import_map.json", ['{"imports": {"a": "./a.js"}}'], ['{"imports": {"a": "https://esm.sh/a"}}']],
  ["vcpkg.json", ['{"name": "x", "version": "1"}'], ['{"dependencies": ["fmt"]}']],
  ["gradle/libs.versions.toml", ["[versions]\n"], ['[libraries]\na = "b:c:1"\n']],
  [
    "build.gradle.kts",
    ["\n"],
    ["plugins { java }\n", 'dependencies { implementation("a:b:1") }\n'],
  ],
  ["settings.gradle", [""], ["pluginManagement {}\n"]],
  ["mix.exs", [""], ["defmodule X do\nend\n"]],
  ["Package.swift", [""], ["// swift-tools-version:5.9\nimport PackageDescription\n"]],
  ["binding.gyp", [""], ["{}"]],
];

const cases = (which: 1 | 2) =>
  EXAMPLES.flatMap((example) => example[which].map((text) => [example[0], text] as const));

describe("a new manifest", () => {
  it.each(cases(2))("%s is asked about: %j", (path, text) => {
    expect(changesPackages(path, "", text)).toBe(true);
  });

  it.each(cases(1))("%s is not asked about: %j", (path, text) => {
    expect(changesPackages(path, "", text)).toBe(false);
    // Nor where its lines end as on Windows.
    expect(changesPackages(path, "", text.replaceAll("\n", "\r\n"))).toBe(false);
  });

  it("is asked about whatever hides in it from an eye, from a decoder, or by its length", () => {
    for (const [path, [text = ""]] of EXAMPLES) {
      expect(changesPackages(path, "", undefined)).toBe(true);
      for (const hidden of ["\u200b", "\f", "\r", "\u2028", "\ufeff", "\0"]) {
        expect(changesPackages(path, "", `${text}${hidden}x`), path).toBe(true);
      }
      expect(changesPackages(path, "", `${text}${" ".repeat(300_000)}`), path).toBe(true);
    }
  });
});

describe("a changed manifest", () => {
  it("is asked about when packages come, go or change, and not when they stay", () => {
    const asked = cases(2).filter(([, text]) => text.trim() !== "");
    for (const [path, text] of asked) {
      expect(changesPackages(path, text, ""), `${path} ${text}`).toBe(true);
    }
    expect(changesPackages("Gemfile", 'gem "a"\n', '# why\ngem "a"\n')).toBe(false);
    expect(changesPackages("Gemfile", 'gem "a"\n', 'gem "a", "2"\n')).toBe(true);
    const [before, after] = [
      '{"dependencies":{"a":"1"}}',
      '{ "name": "x", "dependencies": {"a": "1"} }',
    ];
    expect(changesPackages("package.json", before, after)).toBe(false);
  });

  it("of any kind is protected, so that no task writes it undeclared", () => {
    for (const [path] of EXAMPLES) expect(protectedBy(path), path).toBeDefined();
    for (const pattern of MANIFEST_PATHS) {
      expect(
        protectedBy(pattern.replaceAll("**/", "").replaceAll("*", "x")),
        pattern,
      ).toBeDefined();
    }
  });

  it.each(["src/package.ts", "docs/requirements.md", "go.md", "setup/a.py", "App.cs"])(
    "is not %s",
    (path) => expect(changesPackages(path, "", "x")).toBe(false),
  );
});

describe("toml", () => {
  it("is read by whole paths, with values of several lines and without comments", () => {
    const text = 'a = 1 # one\n[b . "c"]\nd.e = [\n  "x#]", # two\n]\n[[f]]\ng = { h = "i" }\n';
    expect(tomlEntries(text)).toEqual([
      { path: "a", value: "1" },
      { path: "b.c", value: "" },
      { path: "b.c.d.e", value: '[\n  "x#]", \n]' },
      { path: "f.g", value: '{ h = "i" }' },
    ]);
  });

  it("never hides a package, whatever stands around it", () => {
    const scrap = fc.constantFrom(
      ...['"', "'", "#", "[", "]", "{", "}", "=", ".", ",", "\\", "\n", "\r\n", " ", '"""', "'''"],
      ...["[project]\n", "[tool.black]\n", "[[x]]\n", "description = ", "keywords = [", '"a"', "x"],
    );
    const scraps = fc.array(scrap, { maxLength: 8 }).map((parts) => parts.join(""));
    const line = '\ndependencies = ["evil"]\n';
    fc.assert(
      fc.property(scraps, scraps, (above, below) => {
        const text = `[project]\n${above}${line}${below}`;
        const entries = tomlEntries(text);
        // Behind a heading of another table it is no package of the project.
        const isElsewhere = entries?.some(
          ({ path, value }) => path.endsWith("dependencies") && value === '["evil"]',
        );
        expect(entries === undefined || isElsewhere, text).toBe(true);
      }),
      { numRuns: Number(process.env["PROPERTY_RUNS"] ?? 500) * 4 },
    );
  });
});
