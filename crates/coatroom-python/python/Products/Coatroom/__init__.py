"""Makes Zope find coatroom.zope by itself: it loads what lies in ``Products``."""

from Products.Transience.permissions import add_transient_containers


def initialize(context):
    """Offers the container in the ZMI's list of things to add."""
    from coatroom.zope import container

    context.registerClass(
        container.TransientObjectContainer,
        permission=add_transient_containers,
        constructors=(
            ("constructTransientObjectContainerForm", container.constructTransientObjectContainerForm),
            container.constructTransientObjectContainer,
        ),
    )
