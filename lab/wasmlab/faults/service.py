"""Services and autoscalers in front of pods that are well."""

from __future__ import annotations

from .model import Expected, Fault, Object
from .objects import deployment, service

AUTOSCALER: Object = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": 50},
                },
            }
        ],
    },
}
READY = r'"readyReplicas": 1'

FAULTS = (
    Fault(
        "service-selector-mismatch",
        (Expected("service-selector-mismatch", kind="Service"),),
        (deployment(), service(app="web-server")),
        READY,
    ),
    Fault(
        "service-port-mismatch",
        (Expected("service-port-mismatch", kind="Service"),),
        (deployment(), service(port=80, target=8000)),
        READY,
    ),
    Fault(
        "service-port-mismatch--name",
        (Expected("service-port-mismatch", kind="Service"),),
        (deployment(), service(port=80, target="web"), deployment(name="other"), service("other")),
        READY,
    ),
    Fault("healthy--service", (), (deployment(), service(port=80, target="http")), READY),
    Fault(
        "metrics-api-missing",
        (Expected("metrics-api-missing", kind="HorizontalPodAutoscaler"),),
        (deployment(), AUTOSCALER),
        r"FailedGetResourceMetric",
    ),
)
