/** The bubblewrap command line: what a sandboxed process sees, and what it may not do. */

/** How the sandbox is built on this machine, the same for every command. */
export interface Profile {
  node: string;
  npm: string | undefined;
  runner: string;
  /** A folder with the passwd, group, hosts and nsswitch.conf that processes inside see. */
  etc: string;
  /** Files and folders of the host's /etc that programs need to start: absolute paths. */
  etcShared: string[];
  /** `/bin`, `/lib`…: where each points when it is a link, undefined when it is a folder. */
  rootFolders: { path: string; link: string | undefined }[];
  /** The file with the filter of system calls, open as file descriptor 4. */
  filter: string;
}

/** What one command gets to see besides. */
export interface View {
  /** The workspace on this machine, and where it appears. */
  folder: string;
  place: string;
  /** Bound over it in this order: dependency folders, then what the command must not change. */
  binds: Bind[];
  env: Record<string, string>;
}

export interface Bind {
  source: string;
  place: string;
  writable: boolean;
}

/** Where the repository's top appears inside; the run's root below it is the workspace. */
export const INSIDE = "/work";
export const INSIDE_HOME = "/home/fractal";
const OWN = "/opt/fractal";
/** The file tools, run by the Node beside them. */
export const INSIDE_RUNNER = [`${OWN}/bin/node`, `${OWN}/tool-runner.mjs`];

const TMPFS_BYTES_MAX = String(512 * 1024 * 1024);
const SHM_BYTES_MAX = String(64 * 1024 * 1024);

/** The same on every machine, so that results do not depend on whose it is. */
export const INSIDE_ENV: Record<string, string> = {
  PATH: `${OWN}/bin:/usr/local/bin:/usr/bin:/bin`,
  HOME: INSIDE_HOME,
  LANG: "C.UTF-8",
  TERM: "dumb",
  TZ: "UTC",
};

/** The arguments of bwrap that run `argv` in this view. File descriptor 3 gets bwrap's status, 4 has the filter. */
export function bubblewrapArgs(profile: Profile, view: View, argv: string[]): string[] {
  const env = { ...INSIDE_ENV, ...view.env };
  return [
    ...["--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"],
    ...["--clearenv", "--new-session", "--die-with-parent"],
    ...["--json-status-fd", "3", "--seccomp", "4"],
    ...["--uid", "1000", "--gid", "1000", "--hostname", "fractal"],
    ...["--ro-bind", "/usr", "/usr"],
    ...profile.rootFolders.flatMap(({ path, link }) =>
      link === undefined ? ["--ro-bind", path, path] : ["--symlink", link, path],
    ),
    ...profile.etcShared.flatMap((path) => ["--ro-bind", path, path]),
    ...["passwd", "group", "hosts", "nsswitch.conf"].flatMap((name) => [
      ...["--ro-bind", `${profile.etc}/${name}`, `/etc/${name}`],
    ]),
    ...[INSIDE_HOME, "/tmp"].flatMap((path) => ["--size", TMPFS_BYTES_MAX, "--tmpfs", path]),
    ...["--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys"],
    ...["--dev", "/dev", "--size", SHM_BYTES_MAX, "--tmpfs", "/dev/shm"],
    ...["--ro-bind", profile.node, INSIDE_RUNNER[0] ?? ""],
    ...["--ro-bind", profile.runner, INSIDE_RUNNER[1] ?? ""],
    ...npmArgs(profile.npm),
    ...["--bind", view.folder, view.place],
    ...view.binds.flatMap(({ source, place, writable }) => [
      ...[writable ? "--bind" : "--ro-bind", source, place],
    ]),
    // Last, when every place in them exists.
    ...["--remount-ro", "/dev", "--remount-ro", "/"],
    ...["--chdir", view.place],
    ...Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]),
    "--",
    ...argv,
  ];
}

function npmArgs(npm: string | undefined): string[] {
  if (npm === undefined) return [];
  const commands = ["npm", "npx"].flatMap((name) => [
    ...["--symlink", `../lib/node_modules/npm/bin/${name}-cli.js`, `${OWN}/bin/${name}`],
  ]);
  return ["--ro-bind", npm, `${OWN}/lib/node_modules/npm`, ...commands];
}
