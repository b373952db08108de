"""The doctor on a big cluster, beside the floor and its peers.

Starts a real kube-apiserver and etcd, fills them (1,000 nodes, 30,000 pods, 60,000 events),
and measures in one sitting: ``curl`` fetching the same lists gzipped (the floor), the doctor, its
report of a snapshot file of that size, kubectl, and those of the peers whose programs are given.
No kubelets run, so logs are asked for and refused at once.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import astuple
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "lab")]

from bigcluster.measure import Program, measure, table  # noqa: E402 - the path comes first
from bigcluster.spread import Size  # noqa: E402
from wasmlab.build import ensure_control_plane  # noqa: E402
from wasmlab.control_plane import ControlPlane  # noqa: E402

from kubectl_wasmai import resources  # noqa: E402
from kubectl_wasmai.snapshot.listings import FROM_CACHE  # noqa: E402
from kubectl_wasmai.snapshot.objects import TYPES  # noqa: E402

PEERS = ("preflight", "popeye", "k8sgpt")
DOCTOR = str(Path(sys.executable).with_name("kubectl-wasmai"))


def main() -> None:
    """Prints the table."""
    given = _parser().parse_args()
    size = Size(given.nodes, given.pods, given.events)
    bin_dir = ensure_control_plane()
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "big.tar.gz"
        _child("recording", str(recording), *_sizes(size))
        with ControlPlane(bin_dir, Path(folder) / "cluster") as cluster:
            kubeconfig = cluster.kubeconfig()
            etcd = f"http://127.0.0.1:{cluster.ports.etcd_client}"
            _child("filling", "--kubeconfig", str(kubeconfig), "--etcd", etcd, *_sizes(size))
            programs = [
                Program("curl, the same lists, gzip (floor)", _curl(cluster, Path(folder)), 5),
                Program("kubectl wasmai doctor -A", [DOCTOR, "doctor", "-A"], 5, (0, 3)),
                Program("kubectl get pods -A -o json", [str(bin_dir / "kubectl"), "get", "pods",
                                                        "-A", "-o", "json"]),
                *_peers(given),
            ]  # fmt: skip
            home = {"HOME": folder, "PATH": os.environ["PATH"], "KUBECONFIG": str(kubeconfig)}
            measure(programs, home, given.timeout)
        offline = [DOCTOR, "doctor", "--from", str(recording)]
        programs.append(Program("kubectl wasmai doctor --from big.tar.gz", offline, 3, (0, 3)))
        measure(programs[-1:], home, given.timeout)
    print(table(programs))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    for name in ("nodes", "pods", "events"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Size(), name))
    parser.add_argument("--timeout", type=float, default=240.0, help="seconds for one run")
    for name in PEERS:
        parser.add_argument(f"--{name}", metavar="PROGRAM", help=f"path of {name}, to compare with")
    return parser


def _sizes(size: Size) -> list[str]:
    nodes, pods, events, *_ = astuple(size)
    return [f"--nodes={nodes}", f"--pods={pods}", f"--events={events}"]


def _child(module: str, *arguments: str) -> None:
    """In a process of its own: what this one has held counts as memory of all it starts."""
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    command = [sys.executable, "-m", f"bigcluster.{module}", *arguments]
    subprocess.run(command, check=True, env=environment)


def _curl(cluster: ControlPlane, folder: Path) -> list[str]:
    """The lists that the doctor asks for, the longest first and as many at once as it asks,
    thrown away unread."""
    identity = cluster.ca.issue("floor", ["system:masters"])
    longest = (resources.POD, resources.EVENT)
    asked = sorted((r for r in resources.ALL if r.kind in TYPES), key=lambda r: r not in longest)
    lines = [
        f'url = "{cluster.url}{each.path()}{"?resourceVersion=0" if each in FROM_CACHE else ""}"\n'
        'output = "/dev/null"'
        for each in asked
    ]
    config = folder / "curl.config"
    config.write_text("\n".join(lines) + "\n")
    return [
        # One connection for each list: on a shared one (HTTP/2) they wait for each other.
        *("curl", "--silent", "--http1.1", "--noproxy", "*"),
        *("--parallel", "--parallel-immediate", "--parallel-max", "6"),
        *("--header", "Accept-Encoding: gzip", "--cacert", str(cluster.ca.certificate)),
        *("--cert", str(identity.certificate), "--key", str(identity.key)),
        *("--config", str(config)),
    ]


def _peers(given: argparse.Namespace) -> list[Program]:
    spec = str(HERE / "bigcluster" / "preflight.yaml")
    arguments = {
        "preflight": ["--interactive=false", "--auto-update=false", spec],
        "popeye": ["-A", "--force-exit-zero"],
        "k8sgpt": ["analyze"],
    }
    return [
        Program(
            f"{name} {arguments[name][0]}",
            [str(Path(path).absolute()), *arguments[name]],
            1,
            (0, 3, 4),
        )
        for name in PEERS
        if (path := getattr(given, name))
    ]


if __name__ == "__main__":
    main()
