"""What the gateway counts: under the whole template of a route, and under no label that Prometheus has for itself."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.edge import metrics
from tests.support.gateway import UNLIMITED, Gateway


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path, **UNLIMITED)


def counted(route: str, method: str = "GET") -> float:
    return sum(
        sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "peygir_http_requests_total"
        and sample.labels["route"] == route
        and sample.labels["method"] == method
    )


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/tracking", "/v1/tracking"),  # handed straight to its handler
        ("/v1/catalogue", "/v1/catalogue"),
        (f"/v1/cases/{uuid4()}", "/v1/cases/{case_id}"),
        (f"/v1/uploads/{uuid4().hex}", "/v1/uploads/{upload_id}"),
        (f"/v1/webhooks/sms/{uuid4().hex}/inbound", "/v1/webhooks/sms/{secret}/inbound"),
        (f"/v1/webhooks/sms/kavenegar/{uuid4().hex}/inbound", "/v1/webhooks/sms/{provider}/{secret}/{kind}"),
        ("/v1/openapi.json", "/v1/openapi.json"),
        ("/healthz", "/healthz"),
        ("/", "/"),
        ("/file/complaint/start", "/file/{kind}/start"),
    ],
)
def test_a_request_is_counted_under_the_whole_template_of_its_route(gateway: Gateway, path: str, template: str) -> None:
    before = counted(template)
    gateway.send("GET", path)
    assert counted(template) == before + 1


def test_unrouted_requests_are_counted_without_their_path(gateway: Gateway) -> None:
    before = counted("unrouted", "-")
    gateway.send("GET", f"/{uuid4()}")
    assert counted("unrouted", "-") == before + 1


def test_every_operation_of_the_document_has_its_template(gateway: Gateway) -> None:
    documented = set(gateway.send("GET", "/v1/openapi.json").json()["paths"])
    assert documented <= set(gateway.app.templates.values())  # type: ignore[attr-defined]  # Gateway's own


def test_no_metric_has_a_label_that_the_scraper_sets_itself(gateway: Gateway) -> None:
    """Prometheus would rename it to exported_…"""
    prometheus = (Path(metrics.__file__).parents[2] / "deploy" / "prometheus" / "prometheus.yml").read_text()
    own = {*re.findall(r"target_label: (\w+)", prometheus), "job", "instance"}
    assert "service" in own
    metrics.RPC_CALLS.labels("tracking", "get_case", "ok")
    labels = {
        label
        for family in text_string_to_metric_families(generate_latest().decode())
        for sample in family.samples
        for label in sample.labels
    }
    assert {"callee", "route"} <= labels
    assert not labels & own
