#!/usr/bin/env python3
"""A receiver on `opentelemetry-proto`, OpenTelemetry's own messages: it reads what reviews send, in protobuf and in JSON.

    otlp_receiver.py FOLDER      (with TRIBUNE in the environment)

A byte that these messages do not know is a fault, and so is an id, a time or a bucket that the specification forbids.
"""
import base64, pathlib, re, sys

try:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest, ExportMetricsServiceResponse
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
    from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE, AGGREGATION_TEMPORALITY_DELTA
    from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
except ImportError as missing:
    print(missing)
    sys.exit(77)
import scripted
from scripted import Gateway, Server, answer, finding, project

KINDS = {"/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse), "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse)}
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
work = pathlib.Path(sys.argv[1]) / "otlp"
wrong = []


def expect(what, found, wanted):
    if found != wanted:
        wrong.append(f"{what}: {found!r}, not {wanted!r}")


class Receiver(Server):
    """Parses each request by its path and content type; `received` holds pairs of a path and a message."""

    def __init__(self):
        self.received = []
        super().__init__(self.take)

    def take(self, path, headers, body):
        request, response = KINDS[path]
        message = of_json(request, body) if headers["content-type"] == "application/json" else of_bytes(request, body)
        self.received.append((path, message))
        return "application/x-protobuf", response().SerializeToString()


def of_bytes(kind, body):
    message = kind.FromString(body)
    known = kind.FromString(body)
    known.DiscardUnknownFields()
    expect("fields that nobody knows", len(message.SerializeToString()) - len(known.SerializeToString()), 0)
    return message


def of_json(kind, body):
    # OTLP's JSON writes ids in hex, where protobuf's own has base64.
    hexed = lambda m: f'"{m[1]}":"{base64.b64encode(bytes.fromhex(m[2])).decode()}"'
    text = re.sub(r'"(traceId|spanId|parentSpanId)":"([0-9a-f]+)"', hexed, body.decode())
    return json_format.Parse(text, kind(), ignore_unknown_fields=False)


def attributes(of):
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in of.attributes}


def review(name, receiver, gateway, **variables):
    """A review that sends to `receiver`; its messages by path."""
    before = len(receiver.received)
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "TRACEPARENT": f"00-{TRACE}-{PARENT}-01", **variables}
    code, report, said = scripted.review(project(work / name / "project"), gateway.url + "/v1", "openai", "chat", more=told)
    expect(f"{name}: the run", (code, report["outcome"], said), (0, "pass", ""))
    received = receiver.received[before:]
    expect(f"{name}: requests", sorted(path for path, _ in received), sorted(KINDS))
    return dict(received), report


def spans(name, message, report):
    (of_resource,) = message.resource_spans
    resource = attributes(of_resource.resource)
    expect(f"{name}: resource", (resource["service.name"], "service.version" in resource, resource.get("team")), ("review", True, "a,b"))
    (scope,) = of_resource.scope_spans
    by_id = {span.span_id: span for span in scope.spans}
    expect(f"{name}: ids", len(by_id), len(scope.spans))
    for span in scope.spans:
        expect(f"{name}: {span.name}", (span.trace_id.hex(), len(span.span_id)), (TRACE, 8))
        expect(f"{name}: {span.name}: times", 1_700_000_000 * 10**9 < span.start_time_unix_nano <= span.end_time_unix_nano, True)
        expect(f"{name}: {span.name}: status", span.status.code, Status.STATUS_CODE_UNSET)
        expect(f"{name}: {span.name}: keys", len(attributes(span)), len(span.attributes))
    root = next(span for span in scope.spans if span.parent_span_id.hex() == PARENT)
    expect(f"{name}: root", (root.name, root.kind), ("invoke_workflow tribune", Span.SPAN_KIND_INTERNAL))
    place = lambda span: [span.name] + (place(by_id[span.parent_span_id]) if span is not root else [])
    tree = sorted("/".join(reversed(place(span)[:-1])) for span in scope.spans)
    quality = "invoke_agent quality"
    wanted = ["", "invoke_agent coordinator", "invoke_agent coordinator/chat scripted-1", "invoke_agent docs", "invoke_agent docs/chat scripted-1"]
    wanted += [quality, f"{quality}/chat scripted-1", f"{quality}/chat scripted-1", f"{quality}/execute_tool read_file"]
    expect(f"{name}: tree", tree, wanted)
    chats = [attributes(span) for span in scope.spans if span.kind == Span.SPAN_KIND_CLIENT]
    expect(f"{name}: input", sum(chat["gen_ai.usage.input_tokens"] for chat in chats), report["usage"]["input_tokens"])
    expect(f"{name}: cached", {chat["gen_ai.usage.cache_read.input_tokens"] for chat in chats}, {6000})
    findings = [attributes(event) for event in root.events if event.name == "tribune.finding"]
    expect(f"{name}: findings", sorted(f["tribune.finding.fingerprint"] for f in findings), sorted(f["fingerprint"] for f in report["findings"]))


def metrics(name, message, report, temporality):
    (of_resource,) = message.resource_metrics
    (scope,) = of_resource.scope_metrics
    by_name = {metric.name: metric for metric in scope.metrics}
    expect(f"{name}: names", len(by_name), len(scope.metrics))
    for metric in scope.metrics:
        data = getattr(metric, metric.WhichOneof("data"))
        expect(f"{name}: {metric.name}: temporality", data.aggregation_temporality, temporality)
        for point in data.data_points:
            expect(f"{name}: {metric.name}: times", 0 < point.start_time_unix_nano <= point.time_unix_nano, True)
            if metric.HasField("histogram"):
                bounds = list(point.explicit_bounds)
                expect(f"{name}: {metric.name}: bounds", (bounds, len(point.bucket_counts)), (sorted(set(bounds)), len(bounds) + 1))
                expect(f"{name}: {metric.name}: count", sum(point.bucket_counts), point.count)
            else:
                expect(f"{name}: {metric.name}: monotonic", data.is_monotonic, True)
    tokens = by_name["gen_ai.client.token.usage"].histogram.data_points
    total = {attributes(point)["gen_ai.token.type"]: point.sum for point in tokens}
    expect(f"{name}: tokens", total, {"input": report["usage"]["input_tokens"], "output": report["usage"]["output_tokens"]})
    expect(f"{name}: calls", sum(point.count for point in by_name["gen_ai.client.operation.duration"].histogram.data_points), 4)
    expect(f"{name}: findings", sum(point.as_double for point in by_name["tribune.findings"].sum.data_points), len(report["findings"]))


def main():
    def script(who, number, wire):
        if who == "coordinator":
            return answer(wire, calls=[("submit_review", {"findings": [], "summary": "Judged."})])
        if who == "quality" and number % 2 == 0:
            return answer(wire, "I look.", [("read_file", {"path": "app.py"})])
        found = finding("    os.remove(name)" if who == "quality" else "import os", f"From {who}")
        return answer(wire, calls=[("report_findings", {"findings": [found]})])

    work.mkdir(parents=True)
    receiver, gateway = Receiver(), Gateway(script)
    named = {"OTEL_SERVICE_NAME": "review", "OTEL_RESOURCE_ATTRIBUTES": "team=a%2Cb"}
    delta = {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"}
    for name, more, temporality in [
        ("http/protobuf", {}, AGGREGATION_TEMPORALITY_CUMULATIVE),
        ("http/json", delta, AGGREGATION_TEMPORALITY_DELTA),
    ]:
        received, report = review(name, receiver, gateway, OTEL_EXPORTER_OTLP_PROTOCOL=name, **named, **more)
        spans(name, received["/v1/traces"], report)
        metrics(name, received["/v1/metrics"], report, temporality)
    print("\n".join(wrong) or f"{len(receiver.received)} requests were read")
    return 1 if wrong else 0


sys.exit(main())
