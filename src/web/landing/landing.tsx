import { quickStart } from '../console/quick-start.ts';
import { ButtonLink } from '../ui/button.tsx';
import { Frame, mount } from '../ui/mount.tsx';
import { Code } from '../ui/secret.tsx';
import { texts } from '../ui/texts.ts';

const { landing } = texts;

function Landing() {
  const actions = (
    <>
      <ButtonLink kind="plain" href="/console">
        {landing.developers}
      </ButtonLink>
      <ButtonLink href="/vault">{landing.open}</ButtonLink>
    </>
  );
  return (
    <Frame actions={actions}>
      <section class="hero">
        <h1>{landing.title}</h1>
        <p class="lead">{landing.lead}</p>
        <div class="row">
          <ButtonLink kind="primary" size="large" href="/vault#create">
            {landing.create}
          </ButtonLink>
          <ButtonLink kind="plain" size="large" href="#start">
            {landing.developers}
          </ButtonLink>
        </div>
      </section>
      <section class="points" aria-label={landing.pointsLabel}>
        {landing.points.map(([title, text]) => (
          <div key={title}>
            <h2>{title}</h2>
            <p>{text}</p>
          </div>
        ))}
      </section>
      <section class="promise">
        <h2>{landing.promiseTitle}</h2>
        <dl>
          {landing.promise.map(([title, text]) => (
            <div key={title}>
              <dt>{title}</dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section class="start" id="start">
        <h2>{landing.startTitle}</h2>
        <p class="lead">{landing.startText}</p>
        <ol class="snippets">
          {quickStart({ origin: location.origin }).map(({ title, code }) => (
            <li key={title} class="stack tight">
              <h3>{title}</h3>
              <Code label={title} text={code} />
            </li>
          ))}
        </ol>
        <div class="row">
          <ButtonLink kind="primary" href="/console">
            {landing.startLink}
          </ButtonLink>
        </div>
      </section>
    </Frame>
  );
}

mount(<Landing />, { encrypts: false });
