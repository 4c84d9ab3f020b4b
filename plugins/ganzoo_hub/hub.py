"""The Hugging Face hub: one file down, a few files up, and what can go wrong said in one sentence."""

from __future__ import annotations

import contextlib
import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganzoo.api import Fetched, GanzooError, Report, Scheme, UsageError, need

_ADDRESS = re.compile(r"hf://(datasets/)?([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
LOGIN = "log in with `hf auth login`, or set HF_TOKEN"


class Hub(Scheme):
    """``hf://user/name[@revision]``: models, down and up; ``hf://datasets/user/name[@revision]``: data, down."""

    def fetch(self, address: str, file: str, report: Report) -> Fetched:
        if file:
            return Fetched(*download(address, file))
        from ganzoo_hub import data_sets

        return data_sets.fetch(address, report)

    def check(self, address: str) -> None:
        check_login(address)

    def publish(self, folder: Path, address: str, private: bool) -> str:
        return upload(folder, address, private)


def parse(address: str, kind: str = "model") -> tuple[str, str | None]:
    """``"hf://user/name@revision"`` is ``("user/name", "revision")``; without one, None. Raises: UsageError.

    Args:
        kind: "model", or "data set" for ``hf://datasets/user/name``.
    """
    match = _ADDRESS.fullmatch(address)
    if not match or bool(match[1]) != (kind == "data set"):
        form = "hf://datasets/USER/NAME" if kind == "data set" else "hf://USER/NAME"
        raise UsageError(f"{address} is no {kind}'s address on the hub; write {form} or {form}@REVISION.")
    return match[2], match[3]


def download(address: str, name: str) -> tuple[Path, str]:
    """A file of a repository, downloaded once and checked against the hash that the hub states.

    Without a network, a copy that was downloaded before will do.

    Returns: the file, and the address with the revision that it is of.
    Raises: GanzooError: there is no such repository, revision or file, it cannot be reached, or the file is another.
    """
    repository, revision = parse(address)
    hub = client()
    with explained(hub, address, name), _bars(hub):
        url = hub.hf_hub_url(repository, name, revision=revision)
        try:
            stated = hub.get_hf_file_metadata(url)
        except hub.errors.HfHubHTTPError:
            raise
        except _network(hub) as error:
            return _kept(hub, repository, name, revision, error), address
        file = Path(hub.hf_hub_download(repository, name, revision=revision))
    if file.parent.name != stated.commit_hash:  # the client keeps each revision in a folder of its name
        raise GanzooError(f"{address} changed while it was being fetched; try again.")
    _verify(file, stated.etag or "", address)
    return file, f"hf://{repository}@{stated.commit_hash}"


def check_login(address: str) -> None:
    """Raises: UsageError when nothing can be pushed to such an address; GanzooError when nobody is logged in."""
    _, revision = parse(address)
    if revision is not None:
        raise UsageError(f"A push makes a new revision by itself; leave out @{revision}.")
    if not client().get_token():
        raise GanzooError(f"Nobody is logged in to the hub on this machine; {LOGIN}.")


def upload(folder: Path, address: str, private: bool) -> str:
    """Commits the files of a folder to a repository, which is made if it is not there, and returns its URL.

    Raises: GanzooError when it may not be written or cannot be reached.
    """
    repository, _ = parse(address)
    hub = client()
    with explained(hub, address, ""), _bars(hub):
        api = hub.HfApi()
        url = str(api.create_repo(repository, private=private or None, exist_ok=True))
        files = [hub.CommitOperationAdd(file.name, file) for file in sorted(folder.iterdir())]
        api.create_commit(repository, files, commit_message="Model and card, by ganzoo")
    return url


def client() -> Any:
    for part in ("errors", "utils"):  # which the package itself leaves for later
        need(f"huggingface_hub.{part}", "huggingface_hub", "hf://", "hub")
    return need("huggingface_hub", "huggingface_hub", "hf://", "hub")


@contextlib.contextmanager
def _bars(hub: Any) -> Iterator[None]:
    """The client's progress bars are for a terminal only."""
    quiet = not sys.stderr.isatty() and not hub.utils.are_progress_bars_disabled()
    if quiet:
        hub.utils.disable_progress_bars()
    try:
        yield
    finally:
        if quiet:
            hub.utils.enable_progress_bars()


def _network(hub: Any) -> tuple[type[Exception], ...]:
    """What the client raises when there is no answer: errors of its HTTP library, which has changed more than once."""
    return (*hub.errors.HfHubHTTPError.__bases__, OSError)


def _kept(hub: Any, repository: str, name: str, revision: str | None, error: Exception) -> Path:
    """The copy of an earlier download. Raises: the error that the network gave when there is none."""
    try:
        return Path(hub.hf_hub_download(repository, name, revision=revision, local_files_only=True))
    except hub.errors.LocalEntryNotFoundError:
        raise error from None


@contextlib.contextmanager
def explained(hub: Any, address: str, name: str, kind: str = "model") -> Iterator[None]:
    """Raises: GanzooError, in one sentence, for whatever the hub or the network says."""
    errors = hub.errors
    repository, revision = parse(address, kind)
    try:
        yield
    except errors.GatedRepoError as error:
        raise GanzooError(
            f"{address} asks for a consent that you have not given; see its page, and {LOGIN}."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise GanzooError(
            f"There is no {kind} {repository} on the hub, or you may not see it; check the name, or {LOGIN}."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise GanzooError(f"{repository} has no revision {revision}; its page lists them.") from error
    except errors.HFValidationError as error:
        raise UsageError(f"{address} is no {kind}'s address on the hub: {error}") from error
    except (*_network(hub), errors.EntryNotFoundError, ValueError) as error:
        raise GanzooError(_failure(hub, error, address, name)) from error
    except RuntimeError as error:  # the client's own around what went wrong with one file of several
        raise GanzooError(_failure(hub, error.__cause__ or error, address, name)) from error


def _failure(hub: Any, error: Any, address: str, name: str) -> str:
    """The sentence for whatever else went wrong."""
    reason = " ".join((getattr(error, "server_message", None) or str(error)).split()) or type(error).__name__
    if isinstance(error, hub.errors.EntryNotFoundError) and not isinstance(error, hub.errors.LocalEntryNotFoundError):
        return f"{address} has no {name}, so it is no model of ganzoo's."
    if not isinstance(error, hub.errors.HfHubHTTPError):
        return f"The hub cannot be asked about {address} ({reason}); check the network, and try again."
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return f"The hub does not accept your login; {LOGIN}."
    if status == 403:
        return f"You may not write to {address} with this login; choose a name of yours, or a token that may write."
    return f"The hub answers {status} for {address} ({reason}); try again later."


def _verify(file: Path, etag: str, address: str) -> None:
    """Raises: GanzooError when a file is not the one that the hub states; it is deleted then.

    Args:
        etag: SHA-256 of a file kept as LFS; of a small one, git's SHA-1 of it.
    """
    if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", etag):
        raise GanzooError(f"The hub states no hash for {address}, so what came cannot be checked and is not used.")
    git = hashlib.sha1(f"blob {file.stat().st_size}\0".encode(), usedforsecurity=False)
    digest = git if len(etag) == 40 else hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != etag:
        file.resolve().unlink()
        file.unlink(missing_ok=True)
        raise GanzooError(
            f"What came for {address} is not what the hub states (its hash is {digest.hexdigest()}, not {etag}); "
            "it was altered or broken on the way, and is deleted. Try again."
        )
