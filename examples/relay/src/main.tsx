import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RelayEnvironmentProvider } from 'react-relay';
import { createBrowserRouter, Link, Outlet, RouterProvider, ScrollRestoration } from 'react-router';
import { CallPage } from './call-page.tsx';
import { CallsPage } from './calls-page.tsx';
import { createEnvironment } from './environment.ts';
import './styles.css';

const router = createBrowserRouter([
  {
    element: <Layout />,
    children: [
      { index: true, element: <CallsPage /> },
      { path: 'calls/:id', element: <CallPage /> },
      { path: '*', element: <h1>Page not found</h1> },
    ],
  },
]);

function Layout() {
  return (
    <>
      <header>
        <nav aria-label="Main">
          <Link to="/">Calls</Link>
        </nav>
      </header>
      <main>
        <Outlet />
      </main>
      <ScrollRestoration />
    </>
  );
}

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element with the id "root".');

createRoot(root).render(
  <StrictMode>
    <RelayEnvironmentProvider environment={createEnvironment()}>
      <RouterProvider router={router} />
    </RelayEnvironmentProvider>
  </StrictMode>,
);
