"""The kernel of the running interpreter, whatever kernels are installed beside it."""

from typing import Any

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpec, KernelSpecManager


class OwnKernel(KernelSpecManager):
    """Knows one kernel: the one that has this package."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the only kernel there is."""
        return {NATIVE_KERNEL_NAME: RESOURCES}

    def get_kernel_spec(self, kernel_name: str) -> Any:  # noqa: ARG002 - whatever a copy asks for
        """Return the kernel of this interpreter, also where a notebook names another."""
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())

    def get_all_specs(self) -> dict[str, Any]:
        """Return the only kernel with its specification."""
        spec = self.get_kernel_spec(NATIVE_KERNEL_NAME).to_dict()
        return {NATIVE_KERNEL_NAME: {"resource_dir": RESOURCES, "spec": spec}}
