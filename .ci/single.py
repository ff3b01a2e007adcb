"""A stand-in for a device without float64, as Apple's `mps`, on which training and log p(x) run as on a real one.

A tensor of the stand-in holds one of the CPU. Each operation of torch checks that no float64 tensor is made there and
that no tensor of the CPU with axes is mixed in, as the real device refuses both. What the real device has no operation
for is not seen. A run that takes the device for one with float64 must be refused. `--all` runs more objectives.
"""
import sys, tempfile
from contextlib import contextmanager
from unittest.mock import patch

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend as set_up

NAME = 'single'
MIXED = 'aten::index', 'aten::index_put_', 'aten::_index_put_impl_', 'aten::copy_' # take an index, or numbers, of the CPU


class Refused(Exception):
    "The real device would raise."


class Backend:
    "What torch requires of the module of a device."
    @staticmethod
    def get_amp_supported_dtype(): return [torch.bfloat16]

    @staticmethod
    def is_available(): return False


class Held(torch.Tensor):
    "A tensor of the stand-in, with its numbers on the CPU."
    @staticmethod
    def __new__(cls, held):
        if held.dtype == torch.float64: raise Refused(f"a float64 tensor of shape {tuple(held.shape)} is made there")
        made = torch.Tensor._make_wrapper_subclass(cls, held.shape, strides=held.stride(), dtype=held.dtype,
                                                   storage_offset=held.storage_offset(), device=torch.device(NAME, 0))
        made.held = held
        return made

    def tolist(self): return self.held.tolist()
    def __repr__(self): return f'Held({self.held})'
    def __reduce_ex__(self, protocol): return self.held.__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, f, types, args=(), kwargs=None): return call(f, args, kwargs or {})


def is_there(f, args, kwargs, tensors):
    "Whether the result is on the stand-in. Raises `Refused` where tensors are mixed."
    if kwargs.get('device') is not None: return torch.device(kwargs['device']).type == NAME
    name = f._schema.name
    if name == 'aten::copy_': return isinstance(args[0], Held)
    if name == 'aten::_local_scalar_dense' or not any(isinstance(a, Held) for a in tensors): return False
    others = [a for a in tensors if not isinstance(a, Held) and a.dim()]
    if others and name not in MIXED: raise Refused(f"{name} mixes in a tensor of the CPU, {tuple(others[0].shape)}")
    return True


def over(change, a):
    "The same with each tensor changed."
    if isinstance(a, torch.Tensor): return change(a)
    return type(a)(over(change, b) for b in a) if isinstance(a, (list, tuple)) else a


def call(f, args, kwargs):
    "An operation of torch, on the numbers of the CPU."
    tensors = []
    def numbers(a):
        tensors.append(a)
        return a.held if isinstance(a, Held) else a
    given, named = over(numbers, tuple(args)), {name: over(numbers, a) for name, a in kwargs.items()}
    there = is_there(f, args, kwargs, tensors)
    if named.get('device') is not None: named['device'] = torch.device('cpu')
    found, first = f(*given, **named), f._schema.arguments[:1]
    if not f._schema.returns: return None
    if first and first[0].alias_info is not None and first[0].alias_info.is_write: return args[0] # in place
    return over(lambda a: Held(a) if there else a, found)


class Dispatch(TorchDispatchMode):
    "Operations that make tensors."
    def __torch_dispatch__(self, f, types, args=(), kwargs=None): return call(f, args, kwargs or {})


def made(f):
    "torch.tensor and torch.as_tensor move numbers to a device where no mode looks; this shows it."
    def of_numbers(a, **kwargs):
        if isinstance(a, torch.Tensor): return f(a, **kwargs)
        device = kwargs.pop('device', None)
        return f(a, **kwargs) if device is None else f(a, **kwargs).to(device)
    return of_numbers


class Generator(torch.Generator):
    "Draws of the stand-in are those of the CPU."
    def __new__(cls, device='cpu'): return super().__new__(cls)


@contextmanager
def stand_in():
    "The device within a block."
    set_up(NAME, Backend())
    numbers = patch.multiple(torch, tensor=made(torch.tensor), as_tensor=made(torch.as_tensor), Generator=Generator)
    with numbers, Dispatch(): yield


def run_there(simulated=0, tolerance=None, **flags):
    "Train and evaluate a little run there; returns its report."
    from aiwae_nb import runs
    begun = runs.RunConfig.from_flags(latent=2, hidden='4', steps=2, samples=3, name='run', validation=40, test_every=2,
                                      ema=.9, **flags)
    chains = dict(tolerance=tolerance) if tolerance else dict(temperatures=3, leapfrog=1)
    asked = runs.EvaluateConfig.from_flags(samples=3, images=2, chains=2, training=0, simulated=simulated, **chains)
    with patch.object(runs, 'pick_device', lambda name: torch.device(NAME)):
        run = runs.Run.begin(begun)
        run.resume(progress=False)
        return run.report(asked, device=NAME, say=lambda text: None)


def score_there():
    "log p(x) there: some data by draws of q, the others by chains."
    from torch.distributions import Independent, Normal
    from aiwae_nb.evidence import log_likelihood
    def posterior(x): return Independent(Normal(x.new_zeros(len(x), 2), x.expand(-1, 2)), 1)
    def log_joint(x, z): return Normal(0., 1.).log_prob(z).sum(-1) + 0*x[:, 0]
    x = torch.tensor([[.8], [.4]]).repeat(10, 1).to(torch.device(NAME))
    return log_likelihood(x, posterior, log_joint, start='q', mass=None, until='converged', max_seconds=1e-9)


def main():
    from aiwae_nb import core
    wants = [dict(objective='iwae_dreg', tolerance=9.)]
    if '--all' in sys.argv: wants += [
        dict(objective='iwae_dreg', simulated=10, tolerance=.5), dict(objective='aiwae', temperatures=3),
        dict(objective='dreg', alpha='auto', likelihood='gaussian_each'), dict(objective='uha'),
        dict(objective='avo', model='avo'), dict(objective='iwae', variance_every=2)]
    with tempfile.TemporaryDirectory() as out, stand_in():
        with patch.object(core, '_SINGLE', (*core._SINGLE, NAME)):
            for i, flags in enumerate(wants): assert run_there(out=f'{out}/{i}', **flags)['nll'] > 0
            assert 0 < (score_there().n_temperatures == 2).float().mean() < 1
        try: run_there(out=f'{out}/control')
        except Refused: pass
        else: raise AssertionError("the stand-in took float64, expected Refused")
    print(f"{len(wants)} runs: no float64 on the device")


if __name__ == '__main__': main()
