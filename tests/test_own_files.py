import json
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from twinbench import errors
from twinbench.own_files import is_librarys, is_own

_STDLIB, _SITE = sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")


@pytest.mark.parametrize(
    "file",
    [
        np.__file__,
        json.__file__,
        f"{_STDLIB}/code.py",
        f"{_SITE}/nets.py",
        "/usr/lib/python3/dist-packages/nets.py",
        "/home/me/project/.venv/lib/python3.11/site-packages/nets.py",
    ],
)
def test_a_file_of_python_or_of_an_installed_package_is_a_librarys(file: str) -> None:
    assert is_librarys(file)
    assert not is_own(file)


@pytest.mark.parametrize(
    "file",
    [
        "/home/me/nets.py",
        "/home/me/lib/python/nets.py",
        "/home/me/code.py",
        "/home/me/twinbench/nets.py",
        "/home/me/my-site-packages-study/nets.py",
        f"{_STDLIB}-of-mine/nets.py",
        "nets.py",
        "/home/me/ipykernel_12/3456.py",
        "<ipython-input-1-abc>",
    ],
)
def test_a_file_of_the_persons_own_is_no_librarys_whatever_its_folders_are_called(file: str) -> None:
    assert is_own(file)
    assert not is_librarys(file)


@pytest.mark.parametrize("file", [errors.__file__, str(Path(errors.__file__).parent / "architectures" / "mlp.py")])
def test_a_file_of_this_package_is_neither(file: str) -> None:
    assert not is_own(file)
    assert not is_librarys(file)
