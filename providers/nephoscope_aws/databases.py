"""What the rules and collectors of databases share: encryption at rest, and which parameter makes TLS a must."""

from __future__ import annotations

import re

from nephoscope.domain import Fail, NotKnown, Unknown, View
from nephoscope_aws.access import is_on

ENCRYPTED_TYPES = ("sse-kms", "sse-rds")
"""The storage encryption types that are encrypted, sse-rds with a key that AWS owns.
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html"""

_FAMILY = re.compile(r"(postgres|mysql|mariadb|sqlserver-[\w-]+-)(\d+)(?:\.(\d+))?")
_CLUSTER_FAMILY = re.compile(r"(postgres|mysql|aurora-postgresql|aurora-mysql)(\d+)(?:\.(\d+))?")

TLS_PARAMETERS = {
    "postgres": "rds.force_ssl",
    "sqlserver": "rds.force_ssl",
    "mysql": "require_secure_transport",
    "mariadb": "require_secure_transport",
    "aurora-postgresql": "rds.force_ssl",
    "aurora-mysql": "require_secure_transport",
}

_TLS_SINCE = {"postgres": (15, 0), "mariadb": (11, 8), "aurora-postgresql": (17, 0)}
"""The versions from which an engine refuses connections without TLS unless told otherwise; the others never do.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html,
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mariadb-ssl-connections.require-ssl.html,
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Security.html
"""


def tls_parameter(family: object) -> str | None:
    """Return the parameter that makes TLS a must, for a family of DB parameter groups; None if it has none.

    Aurora's families have it in the parameter groups of clusters instead; Oracle and Db2 go other ways.
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
    """
    found = _FAMILY.fullmatch(str(family))
    return TLS_PARAMETERS[found[1].partition("-")[0]] if found else None


def cluster_tls_parameter(family: object) -> str | None:
    """Return the same for a family of parameter groups of clusters: Aurora's and those of Multi-AZ DB clusters.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Security.html
    """
    found = _CLUSTER_FAMILY.fullmatch(str(family))
    return TLS_PARAMETERS[found[1]] if found else None


def tls_by_default(family: object) -> bool:
    """Tell whether a parameter group of this family demands TLS when it does not set the parameter."""
    found = _FAMILY.fullmatch(str(family)) or _CLUSTER_FAMILY.fullmatch(str(family))
    since = _TLS_SINCE.get(found[1]) if found else None
    return bool(found and since and (int(found[2]), int(found[3] or 0)) >= since)


_MYSQL_LOGS = ("audit", "error", "general", "slowquery")
_LOGS = {
    "mysql": _MYSQL_LOGS,
    "mariadb": _MYSQL_LOGS,
    "aurora": _MYSQL_LOGS,
    "aurora-mysql": _MYSQL_LOGS,
    "aurora-postgresql": ("postgresql",),
    "postgres": ("postgresql", "upgrade"),
    "oracle": ("alert", "audit", "listener", "trace"),
    "sqlserver": ("agent", "error"),
    "sqlserver-ex": ("error",),
    "db2": ("diag.log", "notify.log"),
}
"""The logs to export by engine, or by what its name begins with; SQL Server's Express edition has no agent.

https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-9 and, for Db2,
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html
"""


def logs_of(engine: str) -> tuple[str, ...]:
    """Return the logs of an engine of RDS that should be exported; nothing for one that is not known."""
    return _LOGS.get(engine) or _LOGS.get(engine.partition("-")[0]) or ()


def given(resource: View, name: str) -> bool:
    """Tell whether a property is there and not null; in a template its value may not be known yet."""
    if name not in resource:
        return False
    try:
        return resource[name] is not None
    except NotKnown:
        return True


def storage_encrypted(
    database: View, *, type_at: str, inherited_by: tuple[str, ...] = (), by_default: bool = False
) -> bool | Fail:
    """Tell whether a database's storage is encrypted.

    :param type_at: where the storage encryption type stands.
    :param inherited_by: properties of a template that make the database take over the encryption of another one.
    :param by_default: what it means when a template does not say it.
    """
    if "StorageEncrypted" not in database:
        if any(given(database, name) for name in inherited_by):
            raise NotKnown("StorageEncrypted", Unknown("it is inherited from the source of the database"))
        return by_default or Fail("Not encrypted: StorageEncrypted is not set", "StorageEncrypted")
    return database[type_at] in ENCRYPTED_TYPES or is_on(database["StorageEncrypted"])
