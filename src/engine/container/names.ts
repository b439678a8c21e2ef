import { randomInt } from "node:crypto";
import { InvalidParameter } from "../../spec/index.js";

const grammar = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * A container name as it is stored: with a `/` in front.
 *
 * @throws InvalidParameter: outside Docker's grammar
 */
export function parseContainerName(name: string): string {
  if (!grammar.test(name)) {
    throw new InvalidParameter(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  }
  return `/${name.replace(/^\//, "")}`;
}

/** A name for a container that was given none: an adjective and a surname, later tries with a digit behind. */
export function randomName(taken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const digits = attempt < 6 ? "" : String(randomInt(10 ** Math.min(attempt - 5, 9)));
    const name = `/${pick(adjectives)}_${pick(surnames)}${digits}`;
    if (!taken(name)) return name;
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? "";
}

const adjectives = words(`able agile airy ample apt avid awake balmy bright brisk bubbly calm candid chipper civil
  clear comfy cosy crisp curious daring dapper deft earnest eager early fair fancy fervent fine fleet fluent fond
  frank fresh frosty gentle genial gifted glad golden graceful grand hardy hearty hidden humble ideal jaunty jolly
  keen kind learned light lively loyal lucid lucky mellow merry mild modest neat nimble noble patient placid plucky
  polite prime proud quick quiet ready regal robust rosy sage serene sharp shiny silent sincere sleek smart snug
  solid spry steady stellar sturdy sunny sure swift tidy tranquil true upbeat valiant vivid warm wise witty zesty`);

const surnames = words(`abel agnesi airy ampere andrews arago babbage backus baekeland bassi beatty becquerel bessel
  biot black blackwell borlaug bose bragg brahe brattain bunsen cantor cayley celsius cerf chandra clausius conway
  coulomb crick cuvier dalton davy dedekind descartes dewar diesel dijkstra doppler eckert eddington ehrlich engelbart
  euclid euler fermat fibonacci fleming floyd foucault fourier franklin fresnel galois galvani gauss germain gibbs
  hadamard halley hamilton hamming haber herschel hertz hilbert hodgkin hooke hopper hubble huygens hypatia jacobi
  joule kepler kirchhoff klein knuth laplace lavoisier leavitt leibniz lister lorenz lovelace mach maxwell meitner
  mendel mendeleev milner minsky mitchell mobius nightingale noether ohm oresme pascal pasteur pauli peano planck
  poincare poisson ptolemy raman ramsay rankine ritchie rutherford sabin salk scheele seki shannon snell somerville
  stokes strassen tesla thales thompson torricelli turing venn volta wallis watt weber wiles wilkes wirth wren young`);

function words(text: string): readonly string[] {
  return text.split(/\s+/);
}
