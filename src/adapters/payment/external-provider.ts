import {
  externalProviderName,
  type LookAnswer,
  type PaymentProvider,
  type RefundAnswer,
  type SubmitAnswer,
} from "../../ports/payment-provider.ts";

/**
 * Stands where a provider would for money that the shop takes itself. It takes none, knows of none, and a refund of such
 * money is done once it is recorded: the shop returns what it took, and reads in the order that it has to.
 */
export class ExternalProvider implements PaymentProvider {
  readonly name = externalProviderName;

  submit(): Promise<SubmitAnswer> {
    return Promise.resolve({ kind: "declined", message: "The shop takes this money itself" });
  }

  look(): Promise<LookAnswer> {
    return Promise.resolve({ kind: "not_found" });
  }

  refund(): Promise<RefundAnswer> {
    return Promise.resolve({ kind: "done" });
  }
}
