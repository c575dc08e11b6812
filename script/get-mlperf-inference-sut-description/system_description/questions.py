"""What a key means, in words for those who fill it in for the first time."""

from __future__ import annotations

MEANINGS = {
    "submitter": "your organisation, as in the submission's folder",
    "division": "closed (the benchmark's own model, unchanged), open (anything goes) or network",
    "status": "available (can be bought or rented), preview (soon) or rdi (research, development, internal)",
    "system_type": "datacenter, edge, or both: datacenter,edge",
    "system_name": "the system's name, as readers shall see it",
    "system_type_detail": "anything more about the kind of system; may be empty",
    "number_of_nodes": "hosts that answered the queries",
    "host_processor_model_name": "as its maker calls it",
    "host_processors_per_node": "sockets that hold a processor",
    "host_processor_core_count": "cores of one processor, threads not counted",
    "host_processor_frequency": "may be empty",
    "host_processor_caches": "may be empty",
    "host_processor_interconnect": "between sockets; may be empty",
    "host_memory_capacity": "for example 256 GiB",
    "host_memory_configuration": "modules, for example 8x 32 GiB DDR5 4800 MT/s; `sudo dmidecode -t 17` lists them",
    "host_storage_capacity": "for example 1x 3.5 TiB",
    "host_storage_type": "for example NVMe SSD",
    "host_networking": "for example 2x Ethernet 25000 Mb/s; N/A without any",
    "host_networking_topology": "how the nodes are joined; N/A for one node",
    "host_network_card_count": "a number",
    "accelerators_per_node": "0 without any",
    "accelerator_model_name": "N/A without any",
    "accelerator_memory_capacity": "of one accelerator; N/A without any",
    "accelerator_memory_configuration": "kind of its memory, for example HBM3; N/A without any",
    "accelerator_host_interconnect": "for example PCIe Gen5 x16; N/A without any",
    "accelerator_interconnect": "between accelerators; N/A for none or one",
    "accelerator_interconnect_topology": "may be empty",
    "accelerator_frequency": "may be empty",
    "accelerator_on-chip_memories": "may be empty",
    "cooling": "for example air, liquid or passive",
    "framework": "what runs the model, with its version; filled in from the runs if you leave it out",
    "other_software_stack": "drivers, libraries, Python; filled in from the runs if you leave it out",
    "operating_system": "with its version",
    "hw_notes": "what readers should know about the hardware; may be empty",
    "sw_notes": "what readers should know about the software; may be empty",
    "is_network": "true where the system is measured over a network",
}


def meaning(key: str) -> str:
    """One line about a key; empty for one that its name explains."""
    return MEANINGS.get(key, "")
