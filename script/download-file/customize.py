"""CM's download contract over cm4bench.fetch.download: one address, up to four mirrors (`CM_DOWNLOAD_URL1` to `4`)."""

from pathlib import Path

from cm4bench.errors import CMBenchError
from cm4bench.fetch.checksum import Checksum, verify
from cm4bench.fetch.download import DownloadError, DownloadOptions, download, file_name_of, partial_path

MIRRORS = ("1", "2", "3", "4")


def preprocess(i):
    env = i["env"]
    done = _use_local_copy(env) or _download(env)
    env["CM_DOWNLOAD_DOWNLOADED_PATH"] = env["CM_GET_DEPENDENT_CACHED_PATH"] = str(done[0])
    env["CM_DOWNLOAD_DOWNLOADED_SIZE"], env["CM_DOWNLOAD_DOWNLOADED_SHA256"] = str(done[1]), done[2]
    if final := env.get("CM_DOWNLOAD_FINAL_ENV_NAME"):
        env[final] = str(done[0])
    return {"return": 0}


def _use_local_copy(env):
    given = str(env.get("CM_DOWNLOAD_LOCAL_FILE_PATH") or "").strip()
    if not given:
        return None
    path = Path(given).expanduser().absolute()
    digest = verify(path, _checksum(env, ""))
    return path, digest.size, digest.sha256


def _download(env):
    """The first address that answers. A file that is not the promised one counts as no answer."""
    addresses = [(str(env[key]), _checksum(env, n)) for n in ("", *MIRRORS) if env.get(key := f"CM_DOWNLOAD_URL{n}")]
    if not addresses:
        raise DownloadError("nothing to download: no address was given", hint="give one: --url=https://…")
    target = target_of(env, addresses[0][0])
    tls = str(env.get("CM_VERIFY_SSL", "yes")).lower() not in ("no", "false", "0", "off")
    problem = None
    for url, checksum in addresses:
        try:
            done = download(
                url,
                target,
                checksum=checksum,
                partial=partial_path(url, checksum),
                options=DownloadOptions(verify_tls=tls),
            )
            return done.path, done.size, done.sha256
        except CMBenchError as error:
            problem = problem or error
    raise problem


def target_of(env, url):
    """Where the file goes. A name with folders in it is a mistake or an attack: only its last part is used."""
    folder = Path(str(env.get("CM_DOWNLOAD_PATH") or Path.cwd())).expanduser()
    name = Path(str(env.get("CM_DOWNLOAD_FILENAME") or "")).name or file_name_of(url)
    return folder.absolute() / name


def _checksum(env, mirror):
    """A mirror may have a digest of its own; else it must give the same file as the first address."""
    md5 = env.get(f"CM_DOWNLOAD_CHECKSUM{mirror}") or env.get("CM_DOWNLOAD_CHECKSUM")
    return Checksum.of(sha256=str(env.get("CM_DOWNLOAD_SHA256") or ""), md5=str(md5 or ""))
