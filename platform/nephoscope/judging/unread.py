"""Why types of resources are not known, as neighbours: what nobody read is not absent."""

from __future__ import annotations

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import parts_of, provider_of, scanned_services
from nephoscope.compliance import queries as compliance
from nephoscope.inventory.models import Scan, Shard, ShardState


def not_scanned(account: Account) -> dict[str, str]:
    """Return why the types of services that are not chosen are not known: what is not read is not absent."""
    scanned = {each.id for each in scanned_services(account)}
    left = (each for each in provider_of(account).services if each.id not in scanned)
    return {type: f"{each.name} is not among the services that are scanned" for each in left for type in each.types}


def never_read(scan: Scan) -> dict[str, str]:
    """Return why types are not known that neither this scan nor one before it was to read."""
    known = set(scan.shards.values_list("service", "region"))
    known |= set(compliance.newest_readings([scan.account]).values_list("service", "region"))
    never = ((service, region) for service, region in parts_of(scan.account) if (service.id, region) not in known)
    return {type: why_unread(service, region, None) for service, region in never for type in service.types}


def newest_shards(account: Account) -> dict[tuple[str, str], Shard]:
    """Return the newest reading of each part; of one that is read in shares, a share that was not read."""
    shards = sorted(compliance.newest_readings([account]), key=lambda each: each.state != ShardState.DONE)
    return {(each.service, each.region): each for each in shards}


def not_read(account: Account) -> dict[str, str]:
    """Return why types are not known that no scan read, or the newest one not to its end."""
    shards = newest_shards(account)
    parts = ((service, region, shards.get((service.id, region))) for service, region in parts_of(account))
    unread = [each for each in parts if each[2] is None or each[2].state != ShardState.DONE]
    return {type: why_unread(*each) for each in unread for type in each[0].types}


def why_unread(service: domain.Service, region: str, shard: Shard | None) -> str:
    """Say why the resources of a part of the account are not known."""
    where = f"{service.name} in {region}" if service.regional else service.name
    return f"{where} could not be read: {shard.error}" if shard else f"{where} was never read"
