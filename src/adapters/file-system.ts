/** Which file systems are shared between machines, so that a lock on them cannot be relied on. */
import { readFileSync, realpathSync, statfsSync } from "node:fs";

/**
 * By the type that statfs(2) gives, from linux/magic.h; Lustre's and GFS2's stand in their own
 * headers (lustre_user.h, gfs2_ondisk.h). The choice is that of `stat -f` and `tail -f` in GNU
 * coreutils (src/stat.c, "remote"), of those that hold files.
 */
const SHARED_BY_TYPE: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x01021997, "9P"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x564c, "NCP"],
  [0x7461636f, "OCFS2"],
  [0x01161970, "GFS2"],
  [0x0bd00bd0, "Lustre"],
]);

/** All of FUSE has one type; what is behind it is told by the mount's own name, as in /proc/self/mountinfo. */
const FUSE_TYPE = 0x65735546;
const SHARED_FUSE = new Set([
  ...["sshfs", "s3fs", "s3ql", "gcsfuse", "goofys", "rclone", "juicefs", "curlftpfs", "davfs"],
  ...["davfs2", "smbnetfs", "glusterfs", "ceph", "ceph-fuse", "lizardfs", "moosefs", "mfs"],
  ...["ipfs", "gvfsd-fuse", "cvmfs", "afuse", "beegfs"],
]);

/** The name of a shared file system; undefined for a local one. `mount` names it as mountinfo does. */
export function sharedFileSystem(type: number, mount: string): string | undefined {
  const known = SHARED_BY_TYPE.get(type >>> 0);
  if (known !== undefined || type >>> 0 !== FUSE_TYPE) return known;
  const name = mount.replace(/^fuse\./, "");
  return SHARED_FUSE.has(name) ? name : undefined;
}

/** The shared file system an existing folder lies on; undefined for a local one, or where it cannot be told. */
export function sharedFileSystemOf(folder: string): string | undefined {
  const { type } = statfsSync(folder);
  return process.platform === "linux" ? sharedFileSystem(type, mountOf(folder)) : undefined;
}

/** The file system's name of the mount that holds a folder: the last of the longest mount points above it. */
function mountOf(folder: string): string {
  const path = realpathSync(folder);
  let found = { point: "", name: "" };
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const point = (before.split(" ")[4] ?? "").replace(/\\040/g, " ");
    const holds = point === "/" || path === point || path.startsWith(`${point}/`);
    if (!holds || point.length < found.point.length) continue;
    found = { point, name: after.split(" ")[0] ?? "" };
  }
  return found.name;
}
