"""Texts with secrets in every shape that people use, and ordinary texts that only sound so.

Every secret holds the word ``hunter2``, plain or in Base64. None was ever anybody's.
"""

from __future__ import annotations

import base64

SECRET = "hunter2"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def stamped(text: str) -> str:
    """As `kubectl logs --timestamps` prints several lines."""
    return "\n".join(f"2026-01-01T11:00:00.000000000Z {line}" for line in text.split("\n"))


TRACES = (SECRET, encoded(SECRET)[:8], encoded("u:hunter2")[:8], encoded("x" + SECRET)[4:10])
"""What must not be found where a secret was."""

PEM = """-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEAhunter2bJ8Qmq1w2e3r4t5hunter2y6u7i8o9p0AbCdEfGhI
q1w2e3r4t5hunter2y6u7i8o9p0AbC==
-----END RSA PRIVATE KEY-----"""
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.hunter2hunter2hunter2"

TEXTS = (
    # a name, a sign, a value
    "db_password=hunter2",
    "DB_PASS=hunter2",
    "PGPASSWORD=hunter2 psql",
    "MYSQL_PWD=hunter2",
    "password: hunter2",
    "Password : hunter2",
    "password is hunter2",
    "the password is: hunter2",
    "passphrase: hunter2",
    "password := hunter2",
    "password => hunter2",
    "password='hunter2 with spaces'",
    "export TOKEN=hunter2;",
    "TOKEN='hunter2'",
    "token:hunter2",
    "refresh_token: hunter2",
    "client_secret: hunter2",
    "clientSecret: hunter2",
    "SECRET_KEY=hunter2",
    "aws_secret_access_key = hunter2",
    "private_key: hunter2",
    "LLAMA_KEY=hunter2",
    "KEY=hunter2",
    "session_id=hunter2",
    "jwt=hunter2",
    "credentials=hunter2",
    "api key: hunter2",
    "<password>hunter2</password>",
    "password: |\n  hunter2\n  hunter2\nnext: x",
    # JSON, and JSON within JSON
    '{"password":"hunter2"}',
    '{"password": "hun\\"ter2 hunter2"}',
    '{\\"password\\": \\"hunter2 x\\"}',
    '{\\\\\\"apiKey\\\\\\":\\\\\\"hunter2\\\\\\"}',
    "{'token': 'hunter2'}",
    f'{{"auths":{{"r.io":{{"username":"u","auth":"{encoded("u:hunter2")}"}}}}}}',
    # arguments
    "--password hunter2",
    "--hf-token 'hunter2 x'",
    "--api-key=hunter2,",
    "curl -u admin:hunter2 http://x",
    "curl --user=admin:hunter2 x",
    # HTTP
    "curl -H 'X-Api-Key: hunter2'",
    'curl -H "Authorization: Token hunter2"',
    "Authorization: Bearer hunter2hunter2",
    f"Authorization: Basic {encoded('u:hunter2')}",
    "Bearer hunter2hunter2hunter2",
    "Cookie: sid=hunter2; a=hunter2",
    "Set-Cookie: sid=hunter2; Path=/",
    # addresses
    "postgres://admin:hunter2@db:5432/x",
    "redis://:hunter2@r:6379",
    "https://hunter2hunter2hunter2@github.com/x",
    "https://x/y?token=hunter2&z=1",
    "https://x/?sig=hunter2hunter2%3D&se=1",
    "https://s3/x?X-Amz-Credential=hunter2&X-Amz-Signature=hunter2",
    "https://hooks.slack.com/services/T000/B000/hunter2hunter2",
    # connection strings
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2==;EndpointSuffix=core",
    "Server=tcp:x;Database=y;User Id=u;Password=hunter2;",
    'connection_string="hunter2"',
    # keys in PEM: whole, on one line, in a log, cut at either end
    PEM,
    PEM.replace("\n", "\\n"),
    PEM.replace("\n", " "),
    stamped(PEM),
    PEM.rpartition("\n")[0],
    stamped(PEM).partition("\n")[2],
    # tokens
    JWT,
    f"got '{JWT}'",
    # Base64
    encoded("password=hunter2"),
    encoded(PEM),
    f"data {encoded(encoded('token: hunter2 and more'))}",
)

SHAPES = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuv",
    "glpat-abcdefghij0123456789",
    "xoxb-123456789012-abcdefghijkl",
    "hf_abcdefghijklmnopqrstuvwxyz0123",
    "sk-proj-abcdefghij0123456789abcd",
    "AIzaSyA0123456789abcdefghijklmnopqrstuv",
    "npm_abcdefghijklmnopqrstuvwxyz0123456789",
    "nvapi-abcdefghijklmnopqrst0123456789",
    "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
    "SG.abcdefghij0123456789.abcdefghij0123456789",
    "hvs.abcdefghij0123456789abcdef",
    "dckr_pat_abcdefghij0123456789",
)
"""Keys that are known by their shape, wherever they stand."""

ORDINARY = (
    # models count tokens
    "tokens: 512",
    "max_tokens=64",
    "max_token: 64",
    "token_count: 17",
    "prompt tokens: 128, completion tokens: 64",
    "n_tokens = 12, token = 5",
    "BOS token        = 1 '<s>'",
    "EOS token = 128009 '<|eot_id|>'",
    "llama_model_loader: - kv  18: tokenizer.ggml.eos_token_id u32 = 128009",
    "eval time = 1.5 ms / 12 tokens ( 0.1 ms per token, 9.2 tokens per second)",
    "--ctx-size 512 --n-predict 1024 --prompt-template chatml",
    # texts that signatures read
    'no runtime for "wasmedge" is configured',
    "loading failed: magic header not detected, Code: 0x103",
    'Error: secret "db" not found',
    "couldn't find key password in Secret default/db",
    "references non-existent secret key: password",
    (
        'MountVolume.SetUp failed for volume "kube-api-access-x7" : failed to fetch token: '
        'serviceaccounts "x" is forbidden: not found'
    ),
    (
        "failed to fetch anonymous token: unexpected status from GET request to "
        "https://auth.docker.io/token?scope=repository%3Ax%3Apull&service=registry.docker.io: 401"
    ),
    (
        "pull access denied, repository does not exist or may require authorization: server "
        "message: insufficient_scope: authorization failed"
    ),
    "Unable to retrieve some image pull secrets (regcred); attempting to pull may not succeed.",
    "unauthorized: authentication required",
    "basic authentication is required",
    "Bearer token is invalid",
    "Readiness probe failed: HTTP probe failed with statuscode: 401",
    "NVRM: Xid (PCI:0000:01:00): 79, pid=1234",
    # names, digests, paths
    "image@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "docker-pullable://localhost:5000/x@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
    "https://registry.example.com:5000/v2/",
    "http://[::1]:8080/health",
    "module.wasm.image/variant: compat-smart",
    "/models/TinyLlama-1.1B-Chat-v1.0-Q4_K_M.gguf",
    "default:GGML:AUTO:/models/TinyLlama-1.1B-Chat-v1.0.Q4_K_M.gguf",
    "/opt/Models/Llama2/Weights/Shard0001/Part0002/Block0003.bin",
    "GPU-5a9c0b1d-1234-5678-9abc-def012345678",
    (
        "back-off 40s restarting failed container=server "
        "pod=web-76f7967c68-6f4m6_shop(9fd01dc4-7453-4811-9e64-226ce3494904)"
    ),
    # what speaks about a secret
    "--token-file=/var/run/secrets/token",
    "PASSWORD_FILE=/run/secrets/db",
    "password=$(DB_PASSWORD)",
    "--token ${HF_TOKEN}",
    "token: null",
    "sessionAffinity: ClientIP",
    "12 passed, 3 failed",
    "PASS: model loaded",
    "bypass=1",
)
