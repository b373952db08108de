"""The configuration files of a node's programs, as pure functions of what differs.

Why each unusual setting is there is said beside it; the rest are the defaults.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from .namespaces import API_ADDRESS, node_address
from .node_init import CONFIG

SANDBOX_IMAGE = "localhost/pause:1"
REGISTRY = f"{API_ADDRESS}:5000"
# crun decides by these annotations whether a container is WebAssembly.
_POD_ANNOTATIONS = '["module.wasm.image/*", "run.oci.handler"]'


@dataclass(frozen=True)
class Node:
    """One node: its place among the nodes, from 1, and whether it can run WebAssembly."""

    index: int
    containerd: int = 1
    wasm: bool = True

    @property
    def name(self) -> str:
        """The name in Kubernetes."""
        return f"node{self.index}"

    @property
    def address(self) -> str:
        """The address its kubelet serves on."""
        return node_address(self.index)


def containerd_config(node: Node) -> str:
    """The TOML of containerd: version 2 for containerd 1.x, version 3 for containerd 2.x."""
    render = _containerd_1 if node.containerd == 1 else _containerd_2
    return render(node)


def _runtimes(prefix: str, node: Node) -> str:
    text = f"""
[plugins."{prefix}".containerd]
  default_runtime_name = "runc"
[plugins."{prefix}".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
"""
    if node.wasm:
        text += f"""
[plugins."{prefix}".containerd.runtimes.crun]
  runtime_type = "io.containerd.runc.v2"
  pod_annotations = {_POD_ANNOTATIONS}
[plugins."{prefix}".containerd.runtimes.crun.options]
  BinaryName = "/usr/bin/crun"
"""
    return text


def _containerd_1(node: Node) -> str:
    cri = "io.containerd.grpc.v1.cri"
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE nobody may lower the score.
    return f"""version = 2

[plugins."{cri}"]
  sandbox_image = "{SANDBOX_IMAGE}"
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
[plugins."{cri}".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "{CONFIG}/cni"
[plugins."{cri}".registry]
  config_path = "{CONFIG}/certs.d"
{_runtimes(cri, node)}"""


def _containerd_2(node: Node) -> str:
    images, runtime = "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"
    return f"""version = 3

[plugins."{images}".pinned_images]
  sandbox = "{SANDBOX_IMAGE}"
[plugins."{images}".registry]
  config_path = "{CONFIG}/certs.d"
[plugins."{runtime}"]
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
[plugins."{runtime}".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "{CONFIG}/cni"
{_runtimes(runtime, node)}"""


def registry_hosts() -> str:
    """Allows plain HTTP for the lab's own registry, and for no other."""
    return f"""server = "http://{REGISTRY}"

[host."http://{REGISTRY}"]
  capabilities = ["pull", "resolve"]
"""


def registry_config() -> str:
    """docker-registry's YAML, written as JSON."""
    return json.dumps(
        {
            "version": 0.1,
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": "/var/lib/docker-registry"}},
            "http": {"addr": REGISTRY},
        }
    )


def cni_config(node: Node) -> str:
    """A bridge and an address range of the node's own; the nodes share one network namespace."""
    bridge = {
        "type": "bridge",
        "bridge": f"cni{node.index}",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": f"10.244.{node.index}.0/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return json.dumps({"cniVersion": "1.0.0", "name": "wasmlab", "plugins": [bridge]}, indent=1)


def kubelet_config(node: Node, cgroup_parent: str) -> str:
    """The kubelet's configuration file."""
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{CONFIG}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        # Addresses of its own let every node use the usual ports.
        "address": node.address,
        "healthzBindAddress": node.address,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup_parent}/{node.name}",
        "enforceNodeAllocatable": [],
        # Nobody answers there, but without it every pod gets a MissingClusterDNS event.
        "clusterDNS": ["10.96.0.10"],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "registryPullQPS": 0,
        "resolvConf": f"{CONFIG}/resolv.conf",
        "serializeImagePulls": False,
        "tlsCertFile": f"{CONFIG}/kubelet.crt",
        "tlsPrivateKeyFile": f"{CONFIG}/kubelet.key",
    }
    return json.dumps(config, indent=1)


def kubelet_arguments(node: Node) -> list[str]:
    """The kubelet's command line; the rest is in its file."""
    return [
        f"--config={CONFIG}/kubelet.json",
        f"--kubeconfig={CONFIG}/kubelet.kubeconfig",
        f"--hostname-override={node.name}",
        f"--node-ip={node.address}",
    ]


def kube_proxy_config(node: Node) -> str:
    """kube-proxy's file. One serves all nodes: they share one network namespace."""
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": f"{CONFIG}/kube-proxy.kubeconfig"},
        "hostnameOverride": node.name,
        "mode": "nftables",
        "nftables": {
            # A pod that calls a Service with an endpoint on its own bridge would otherwise get
            # the answer from an address it never asked.
            "masqueradeAll": True,
            # A Service follows its pods at once; a small cluster can afford it.
            "minSyncPeriod": "50ms",
            "syncPeriod": "30s",
        },
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # These limits are the host's, not the namespace's: leave them alone.
        "conntrack": {
            "maxPerCore": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
    return json.dumps(config, indent=1)
