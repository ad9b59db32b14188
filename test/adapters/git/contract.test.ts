/** The real repository and the one in memory keep one contract; the latter merges whole files. */
import { describe, onTestFinished } from "vitest";
import { gitGround, memoryGround } from "../../support/ground.ts";
import { repositoryContract } from "../../support/repository-contract.ts";

describe("a repository in memory", () => {
  repositoryContract(async (files) => memoryGround(files).repository);
});

describe("a real repository", () => {
  repositoryContract(async (files) => {
    const ground = await gitGround(files);
    onTestFinished(() => ground.close());
    return ground.repository;
  });
});
