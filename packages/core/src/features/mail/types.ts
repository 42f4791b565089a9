/** A mail to one person. */
export interface Mail {
  /** One e-mail address, without a name. */
  to: string
  subject: string
  text: string
  html: string
}

/** Sends mails. One that rejects is told to the log. */
export interface Mailer {
  send(mail: Mail): Promise<void>
  /** Lets go of connections; called once no more mails come. */
  close?(): Promise<void> | void
}
