"""Which clusters a target's provider has."""

from steps.deploy.clusters import Clusters
from steps.deploy.current import Current
from steps.deploy.gke import Gke
from steps.deploy.kind import Kind
from steps.deploy.target import Target, authenticate
from steps.tools import Tools


def clusters_of(target: Target, tools: Tools) -> Clusters:
    """Return the clusters of the target's provider."""
    if target.provider == "kind":
        return Kind(tools)
    if target.provider == "current":
        return Current(tools)
    authenticate(tools)
    return Gke(tools, target.project, target.location)
