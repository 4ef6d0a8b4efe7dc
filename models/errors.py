"""Everything Foretell raises on purpose.

::

    ForetellError
    ├── InputError            what the user gave cannot be used: a file, a row, a setting, a query
    │   └── UnknownModelError there is no such slug
    ├── NotFittedError        predict or save before fit or load
    ├── ModelFolderError      a saved model that must not be loaded
    │   ├── WrongSlugError    it is another model
    │   ├── WrongFormatError  it was written by another format of Foretell
    │   └── TamperedError     a part is missing, added or changed since it was saved
    ├── EncoderError          the text encoder is missing, or its weights are not the expected ones
    ├── FetchError            a public set cannot be downloaded, or is not what it should be
    ├── GateError             a trained version missed a gate; nothing was registered
    ├── RegistryError         the model registry cannot be reached, or lacks what was asked for
    └── StoreError            the store of events and feedback cannot be used now: it is away, locked or full

Each message is one sentence: what was expected, what came, what to do. None of them knows HTTP or exit codes;
``serving`` and ``foretell.py`` translate.
"""


class ForetellError(Exception):
    """The root: catch this to catch all that Foretell raises on purpose."""


class InputError(ForetellError, ValueError):
    """What the user gave cannot be used."""


class UnknownModelError(InputError):
    """There is no model of that slug."""


class NotFittedError(ForetellError):
    """The model has neither been fitted nor loaded."""


class ModelFolderError(ForetellError):
    """A saved model that must not be loaded."""


class WrongSlugError(ModelFolderError):
    """The folder holds another model."""


class WrongFormatError(ModelFolderError):
    """The folder was written by another format of Foretell."""


class TamperedError(ModelFolderError):
    """A part of the folder is missing, added or changed since it was saved."""


class EncoderError(ForetellError):
    """The text encoder is missing, or its weights are not the expected ones."""


class FetchError(ForetellError):
    """A public set cannot be downloaded, or is not what it should be."""


class GateError(ForetellError):
    """A trained version missed a gate."""


class RegistryError(ForetellError):
    """The model registry cannot be reached, or lacks what was asked for."""


class StoreError(ForetellError):
    """The store cannot be used now; what was to be kept is not, and trying again is right."""
