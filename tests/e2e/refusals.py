# SPDX-License-Identifier: Apache-2.0
"""What the table tests of refusals share: the HTTP status of each code, as the cloud's tables and
our own choices have it, and a row of such a table."""
from ledger import Net, Refused, Tap

TAP = Tap()

# Codes whose status is not 400. Where it depends on the operation, the row says it.
STATUS = {
    **dict.fromkeys((
        "InvalidRegionId.NotFound", "InvalidVpcId.NotFound", "InvalidVSwitchId.NotFound", "InvalidZoneId.NotFound",
        "InvalidInstanceId.NotFound", "InvalidEcsId.NotFound", "InvalidEniId.NotFound", "InvalidAllocationId.NotFound",
        "InvalidInstanId.NotFound", "InvalidBindInstance.NotFound", "InvalidInstance.IpAddressMissing",
        "InvalidCidrBlock.NotFound", "InvalidIpv6GatewayId.NotFound", "InvalidIpv6InternetBandwidthId.NotFound",
        "ResourceNotFound.Ipv6Address", "InvalidStatus.NotFound", "NotFound", "UnknownOperation"), 404),
    **dict.fromkeys((
        "IncorrectInstanceStatus", "InvalidVSwitchId.IpNotEnough", "InvalidVSwitchId.IpInvalid",
        "InvalidIp.IpAssigned", "InvalidIp.IpRepeated", "InvalidIp.IpUnassigned", "InvalidIp.Address",
        "InvalidIp.Ipv6Assigned", "InvalidVSwitch.Ipv6NotTurnOn", "MaxEniCountExceeded", "EniPerInstanceLimitExceeded",
        "MaxEniPrivateIpsCountExceeded", "MaxEniIpv6IpsCountExceeded", "InvalidOperation.Ipv4CountExceeded",
        "InvalidOperation.Ipv6CountExceeded", "InvalidOperation.Ipv6NotSupport", "InvalidOperation.HotPlugNotSupport",
        "InvalidOperation.InvalidEniType", "InvalidOperation.VpcMismatch", "InvalidOperation.AvailabilityZoneMismatch",
        "InvalidOperation.PublicIpAddressNoStock", "MaxEIPQuotaExceeded", "OperationDenied.PrimaryPrivateIp",
        "Forbidden.RAM"), 403),
    "PreconditionFailed": 412,
}


class Table(Net):
    """Rows of one operation: each call that must be refused is one test, named by what is wrong."""

    def __init__(self, server, operation=None):
        super().__init__(server)
        self.operation = operation

    def do(self, operation=None, **params):
        return self.call(operation or self.operation, **params)

    def row(self, what, code, params, status=None, parameter=None, ids=None, detail=None, operation=None):
        """The call is refused with the code, its status and its facts, and the log has not grown."""
        operation, before = operation or self.operation, self.head()
        name = f"{operation}: {what}: {code}"
        try:
            result = self.call(operation, **params)
        except Refused as refusal:
            got = {"code": refusal.code, "status": refusal.status, "head": self.head()}
            wanted = {"code": code, "status": status or STATUS.get(code, 400), "head": before}
            if not code.startswith("DryRun"):
                got["sentence"], wanted["sentence"] = len(refusal.error["Message"]) > 10, True
            if refusal.detail.get("Ids"):
                got["named"], wanted["named"] = refusal.detail["Ids"][0] in refusal.error["Message"], True
            for member, value in {"Parameter": parameter, "Ids": ids, **(detail or {})}.items():
                if value is not None:
                    got[member], wanted[member] = refusal.detail.get(member), value
            TAP.equal(got, wanted, name)
            return refusal
        TAP.ok(False, name, f"not refused: {result!r}")
        return None

    def passes(self, what, params, operation=None):
        """The call would be done: a dry run says so."""
        operation = operation or self.operation
        try:
            result = self.call(operation, DryRun=True, **params)
        except Refused as refusal:
            return TAP.equal(refusal.code, "DryRunOperation", f"{operation}: {what} passes")
        return TAP.ok(False, f"{operation}: {what} passes", f"a dry run was done: {result!r}")


def run(server, *tests):
    for test in tests:
        try:
            test(server)
        except (Refused, OSError, KeyError, AttributeError, TypeError, IndexError) as problem:
            TAP.ok(False, f"{test.__name__} ran to its end", repr(problem))
