import pytest

from steps.try_again import is_quota, is_temporary

GCLOUD = "ERROR: (gcloud.container.clusters.create) "

TEMPORARY = {
    "stockout on creation": f"{GCLOUD}Operation [<Operation\n code: GCE_STOCKOUT>]] finished with error: Try "
    "a different location, or try again later: Google Compute Engine does not have enough resources "
    "available to fulfill request: us-east1-b.",
    "stockout of an instance": "[GCE_STOCKOUT]: Instance 'gke-c1-default-pool-1' creation failed: The zone "
    "'projects/p/zones/z' does not have enough resources available to fulfill the request.",
    "stockout in all zones": "All requested zones (us-east4-b ) are out of capacity",
    "stockout of a machine": "message: A n1-standard-4 VM instance with 1 nvidia-tesla-t4 accelerator(s) is "
    "currently unavailable in the us-central1-b zone.",
    "pool exhausted": "code: ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
    "operation creates": "ERROR: (gcloud.container.clusters.delete) Some requests did not succeed:\n - "
    "ResponseError: code=400, message=Operation operation-17-f8 is currently creating cluster c1. Please "
    "wait and try again once it is done.",
    "operation repairs": "Operation operation-16-0c is currently repairing cluster c1. Please wait",
    "incompatible operation": "code=400, message=Cluster is running incompatible operation operation-1.",
    "operation goes on": "Operation [operation-1] is still running, check its status via 'gcloud ...'",
    "API in trouble": f"{GCLOUD}ResponseError: code=503, message=The service is currently unavailable.",
    "API's mistake": f"{GCLOUD}ResponseError: code=500, message=Internal error encountered.",
    "too many calls": f"{GCLOUD}ResponseError: code=429, message=Quota exceeded for quota metric 'Cluster "
    "creation requests' and limit 'Cluster creation requests per minute' of service 'container.googleapis"
    ".com' for consumer 'project_number:1'. RATE_LIMIT_EXCEEDED",
    "gcloud's connection": "ERROR: gcloud crashed (ConnectionError): ('Connection aborted.', "
    "RemoteDisconnected('Remote end closed connection without response'))",
    "gcloud's names": "HTTPSConnectionPool(host='x', port=443): Max retries exceeded with url: /token",
    "kubectl's connection": "Unable to connect to the server: dial tcp 192.0.2.1:443: i/o timeout",
    "kubectl cut off": "Unable to connect to the server: EOF",
    "kubectl's handshake": "Unable to connect to the server: net/http: TLS handshake timeout",
    "API server restarts": "The connection to the server 192.0.2.1 was refused - did you specify the right "
    "host or port?",
    "connection lost": "error: http2: client connection lost",
    "API server busy": "Error from server (TooManyRequests): the server has received too many requests",
    "API server slow": "Error from server (Timeout): the server was unable to return a response in time",
    "leader changes": "Error from server: etcdserver: leader changed",
    "webhook not up": "Error from server (InternalError): error when creating STDIN: Internal error "
    "occurred: failed calling webhook: connect: connection refused",
    "object changed": 'Operation cannot be fulfilled on namespaces "n": the object has been modified; '
    "please apply your changes to the latest version and try again",
    "namespace goes": 'object is being deleted: namespaces "n" already exists',
    "namespace closes": "secrets is forbidden: unable to create new content in namespace n because it is "
    "being terminated",
    "helm's connection": 'Error: Kubernetes cluster unreachable: Get "https://192.0.2.1/version": EOF',
    "helm's storage": "Error: UPGRADE FAILED: create: failed to create: context deadline exceeded",
    "pull limit": "toomanyrequests: You have reached your pull rate limit.",
    "registry in trouble": "received unexpected HTTP status: 502 Bad Gateway",
    "registry's connection": "read tcp 192.0.2.2:5->192.0.2.1:443: read: connection reset by peer",
    "names": "dial tcp: lookup registry.example.com: Temporary failure in name resolution",
}

FINAL = {
    "regional quota": f"{GCLOUD}ResponseError: code=403, message=Insufficient regional quota to satisfy "
    "request: resource \"CPUS\": request requires '9.0' and is short '1.0'. Try again later.",
    "quota of GPUs": "Quota 'NVIDIA_T4_GPUS' exceeded. Limit: 1.0 in region us-central1. Try again later.",
    "quota by code": "code: QUOTA_EXCEEDED\nmessage: Quota 'N2_CPUS' exceeded. Please try again",
    "quota of a namespace": 'pods "p" is forbidden: exceeded quota: compute, requested: cpu=2, used: '
    "cpu=9, limited: cpu=10",
    "exists": f"{GCLOUD}ResponseError: code=409, message=Already exists: projects/p/zones/z/clusters/c1.",
    "not found": f"{GCLOUD}ResponseError: code=404, message=Not found: projects/p/zones/z/clusters/c1.",
    "not allowed": f'{GCLOUD}ResponseError: code=403, message=Required permission(s) for "projects/p".',
    "not logged in": "You do not currently have an active account selected. Please run:\n $ gcloud auth "
    "login\nto obtain new credentials, and try again.",
    "key revoked": "('invalid_grant: Bad Request', {'error': 'invalid_grant'}) please try again",
    "wrong flag": f"{GCLOUD}unrecognized arguments: --zon=x",
    "no configuration": "The connection to the server localhost:8080 was refused - did you specify the "
    "right host or port?",
    "no configuration by far": 'error: unable to recognize "STDIN": Get "http://localhost:8080/api": dial '
    "tcp 127.0.0.1:8080: connect: connection refused",
    "wrong certificate": "Unable to connect to the server: tls: failed to verify certificate: x509: "
    "certificate signed by unknown authority",
    "no plugin": "Unable to connect to the server: getting credentials: exec: executable "
    "gke-gcloud-auth-plugin not found",
    "never ready": "error: timed out waiting for the condition on jobs/j",
    "install not ready": "Error: INSTALLATION FAILED: context deadline exceeded",
    "upgrade not ready": "Error: UPGRADE FAILED: release c1 failed: context deadline exceeded",
    "upgrade pending": "Error: another operation (install/upgrade/rollback) is in progress",
    "no chart": 'Error: failed to download "oci://host/chart"',
    "bad manifest": 'error: error validating "STDIN": unknown field "spec.x"',
    "no image": "An image does not exist locally with the tag: x",
    "nothing": "",
}


@pytest.mark.parametrize("said", TEMPORARY.values(), ids=TEMPORARY)
def test_what_may_pass_is_tried_again(said: str) -> None:
    assert is_temporary(said)
    assert not is_quota(said)


@pytest.mark.parametrize("said", FINAL.values(), ids=FINAL)
def test_what_no_waiting_mends_is_not(said: str) -> None:
    assert not is_temporary(said)


def test_quota_is_told_apart() -> None:
    assert [name for name, said in FINAL.items() if is_quota(said)] == [
        "regional quota",
        "quota of GPUs",
        "quota by code",
        "quota of a namespace",
    ]
