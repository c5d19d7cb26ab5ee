import { loadEnvFiles, noticeUnreadEnvFile } from '#config/env-file.ts';
import { explainListenError } from '#config/listen-error.ts';
import { SettingsError } from '#config/settings.ts';
import { VERSION } from '#generated/version.ts';
import { printFatal, printLine, printNotice } from '#observability/console.ts';
import { parseCommandLine, type Run, UsageError } from './command-line.ts';
import { helpOf } from './help.ts';

/**
 * Runs a command, or prints help or the version. It returns when the gateway listens, or when the
 * doctor is done. A command that fails ends the process with code 1.
 * @param args those behind the program
 */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  let portSettings = 'PORT';
  try {
    const commandLine = parseCommandLine(args);
    if (commandLine.action === 'help') return printLine(helpOf(commandLine.command));
    if (commandLine.action === 'version') return printLine(VERSION);
    if (commandLine.command === 'demo') portSettings = 'PORT or SANDBOX_PORT';
    await run(commandLine);
  } catch (error) {
    printFatal(explainFailure(error, portSettings));
    process.exit(1);
  }
}

/**
 * Only the code of the command is loaded: `--help` takes 0.2 s of CPU time, and a start 0.75 s.
 */
async function run({ command, envFiles, json, apiKeyStdin }: Run): Promise<void> {
  loadEnvFiles(envFiles);
  const notice = noticeUnreadEnvFile(envFiles);
  switch (command) {
    case 'start': {
      const { runStart } = await import('./start.ts');
      return runStart(notice === undefined ? [] : [notice]);
    }
    case 'demo': {
      const { runDemo } = await import('./demo.ts');
      return runDemo();
    }
    case 'doctor': {
      if (notice !== undefined) printNotice(notice);
      const { runDoctorCommand } = await import('./doctor.ts');
      return runDoctorCommand({ format: json ? 'json' : 'text', apiKeyStdin });
    }
  }
}

/** The message of an error that its user can mend; any other error as it is, with its stack. */
function explainFailure(error: unknown, portSettings: string): unknown {
  if (error instanceof UsageError)
    return `${error.message}\nrevox-graphql-gateway --help lists commands and options.`;
  return error instanceof SettingsError
    ? error.message
    : (explainListenError(error, portSettings) ?? error);
}
