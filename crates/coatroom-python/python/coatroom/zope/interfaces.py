"""The interfaces of Products.Transience, by the names of either of its generations."""

try:
    from Products.Transience.interfaces import IDictionaryLike
    from Products.Transience.interfaces import IImmutablyValuedMappingOfPickleableObjects
    from Products.Transience.interfaces import IItemWithId
    from Products.Transience.interfaces import IStringKeyedHomogeneousItemContainer
    from Products.Transience.interfaces import ITransient
    from Products.Transience.interfaces import ITransientItemContainer
    from Products.Transience.interfaces import ITTWDictionary
except ModuleNotFoundError:  # before Products.Sessions 6
    from Products.Transience.TransienceInterfaces import DictionaryLike as IDictionaryLike
    from Products.Transience.TransienceInterfaces import (
        ImmutablyValuedMappingOfPickleableObjects as IImmutablyValuedMappingOfPickleableObjects,
    )
    from Products.Transience.TransienceInterfaces import ItemWithId as IItemWithId
    from Products.Transience.TransienceInterfaces import (
        StringKeyedHomogeneousItemContainer as IStringKeyedHomogeneousItemContainer,
    )
    from Products.Transience.TransienceInterfaces import Transient as ITransient
    from Products.Transience.TransienceInterfaces import TransientItemContainer as ITransientItemContainer
    from Products.Transience.TransienceInterfaces import TTWDictionary as ITTWDictionary

__all__ = [
    "IDictionaryLike",
    "IImmutablyValuedMappingOfPickleableObjects",
    "IItemWithId",
    "IStringKeyedHomogeneousItemContainer",
    "ITTWDictionary",
    "ITransient",
    "ITransientItemContainer",
]
